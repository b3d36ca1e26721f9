import Glibc
import SystemPackage
import TestSupport
import Testing

extension TestHost {
    /// Runs muster, and ends the test unless it succeeds. Returns what it wrote to standard output.
    @discardableResult
    func mustSucceed(_ arguments: String..., sourceLocation: SourceLocation = #_sourceLocation) async throws -> String {
        let result = try await result(of: arguments)
        try #require(result.status == .exited(0), "\(arguments): \(result.errors)", sourceLocation: sourceLocation)
        return result.output
    }

    /// Runs muster, with `body` done while it has stopped at a point between two steps.
    func muster(
        _ command: String, stoppedAt point: String, sourceLocation: SourceLocation = #_sourceLocation,
        _ body: () async throws -> Void
    ) async throws -> Command.Result {
        let run = try start([command], environment: ["MUSTER_STOP_AT": point])
        try #require(await run.stopped(), "it passes '\(point)'", sourceLocation: sourceLocation)
        try await body()
        run.send(SIGCONT)
        return try await run.result()
    }

    /// What Python prints of an expression, where `d` is a document in JSON.
    func value(_ expression: String, of document: String) async throws -> String {
        let result = try await command(
            "/usr/bin/python3", "-c", "import json, sys; d = json.loads(sys.argv[1]); print((\(expression)))", document)
        try #require(result.status == .exited(0), "\(result.errors) \(document)")
        return String(result.output.dropLast())
    }

    /// The name of the newest archive in the repository.
    func newestArchive() async throws -> String { try #require(try await archiveNames().last) }

    /// Adds a second repository to the job file, called `second`.
    mutating func addSecondRepository() -> FilePath {
        let second = scratch.appending("second")
        job.repositoryLines += [
            "  second:", "    location: \(second)", "    borg: \(job.borg)",
            "    passphrase: {file: \(job.passphraseFile)}", "    initialize: repokey-blake2",
        ]
        return second
    }

    /// What a shell command prints, with the job file's path as `$JOB` and muster's as `$MUSTER`.
    func shell(_ line: String) async throws -> Command.Result {
        let file = jobFile
        try write(job.text, to: file)
        return try await command(
            "/bin/sh", "-c", line, environment: ["JOB": file.string, "MUSTER": musterExecutable.string])
    }
}
