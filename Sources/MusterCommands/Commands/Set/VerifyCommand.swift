import ArgumentParser
import DumpCore
import Linux
import Reporting
import Staging
import SystemPackage

struct VerifyCommand: MusterCommand {
    static let manual = CommandManual(
        "verify", "Hash the published set, or one in a directory, and compare it with its manifest.",
        examples: [
            "muster verify nightly": "Verify the job's current set.",
            "muster verify --set /srv/restored": "Verify a set that was extracted from an archive.",
        ], statuses: .of(.verificationFailed))

    @Argument(help: jobHelp, completion: .jobs) var positionalJob: String?
    @Option(
        help: ArgumentHelp("A set in another place, such as one that was extracted from an archive.", valueName: "dir"))
    var set: String?
    @OptionGroup var jobOptions: JobOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var progress: ProgressOptions

    func run() async throws {
        progress.begin(output, log: output.logger())
        let directory = try set.map { JobOptions.absolute($0) } ?? currentDirectory()
        let verification: Verification
        do {
            verification = Verification(
                directory,
                try await SetDirectory(directory).verify(
                    referencedTrees: set == nil ? .elsewhere : .either, progress: show))
        } catch {
            throw CommandFailure(status: .verificationFailed, error: error)
        }
        ProgressFeed.shared.show([])
        if output.json {
            Console.shared.result(try json(verification))
        } else if !output.quiet || !verification.passed {
            Console.shared.result(verification.text)
        }
        if !verification.passed { throw ExitCode(ExitStatus.verificationFailed.rawValue) }
    }

    private func show(_ done: Int64, _ total: Int64) {
        ProgressFeed.shared.show([
            ProgressLine(.verify, progress: UnitProgress(bytes: done, expectedBytes: total))
        ])
    }

    private func currentDirectory() throws -> FilePath {
        try jobOptions.read(positionalJob).staging.appending("current")
    }
}

/// What `verify` prints.
private struct Verification: Encodable {
    struct Problem: Encodable {
        var path: String
        var kind: String
        var details: String
    }

    var path: String
    var runID: RunID
    var passed: Bool
    var files: Int
    var bytes: Int64
    var problems: [Problem]

    init(_ directory: FilePath, _ report: VerificationReport) {
        path = directory.string
        runID = report.manifest.runID
        passed = report.isFaithful
        files = report.files
        bytes = report.bytes
        problems = report.problems.map { Problem(path: $0.path.string, kind: $0.kind.rawValue, details: $0.details) }
    }

    var text: String {
        let set = "set \(runID) in \(path): \(files) files, \(formatBytes(bytes))"
        if passed { return set + ", all as sealed" }
        return ([set + ", \(problems.count) problems"] + problems.map { "  \($0.path): \($0.details)" })
            .asLines
    }
}
