import ArgumentParser
import DumpCore
import Glibc
import Linux
import Processes
import Reporting
import SystemPackage

/// Takes one file out of the newest archive with plain Borg, and compares it with the one in the published set.
struct DemoRestore {
    var place: DemoDirectory
    var runner: ProgramRunner

    func perform() async throws {
        let archive = try await newestArchive()
        let target = place.root.appending("restored")
        try FileSystem.createDirectory(target)
        say("$ cd \(target) && borg extract \(place.repository)::\(archive) app/globals.sql")
        _ = try await borg("extract", "\(place.repository)::\(archive)", "app/globals.sql", in: target)
        let comparison = try await runner.run(
            Program(
                Executables.find("cmp"),
                [place.staging.appending("current/app/globals.sql").string, target.appending("app/globals.sql").string])
        )
        guard comparison.succeeded else {
            Console.shared.error("the file from the archive is another one: \(comparison.lastErrors)")
            throw ExitCode(ExitStatus.restoreFailed.rawValue)
        }
    }

    private func newestArchive() async throws -> String {
        let names = try await borg("list", "--short", "--last", "1", place.repository.string, in: place.root)
        guard let name = names.split(atASCII: "\n").last else {
            throw DemoError(message: "the repository has no archive")
        }
        return String(name)
    }

    private func borg(_ arguments: String..., in directory: FilePath) async throws -> String {
        let outcome = try await runner.run(
            Program(
                Executables.find("borg"), arguments,
                environment: ["BORG_PASSCOMMAND": "cat \(place.passphraseFile)"],
                inheritedPrefixes: ["BORG_BASE_DIR"], workingDirectory: directory),
            output: .collect(limit: 1024 * 1024))
        guard outcome.succeeded else {
            throw DemoError(message: "borg \(arguments[0]) \(outcome.status)", context: ["stderr": outcome.lastErrors])
        }
        return String(decoding: outcome.output, as: UTF8.self)
    }
}
