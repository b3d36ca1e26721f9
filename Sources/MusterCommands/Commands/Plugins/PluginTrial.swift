import Conformance
import DumpCore
import Glibc
import Linux
import Logging
import Plugins
import Processes
import Synchronization
import SystemPackage

/// A plugin and a source that its author has at hand, with commands that do to the source what some claims need.
struct PluginTrial: ConformanceSubject {
    let plugin: Plugin
    let settings: TestPlugin.Settings
    let unreachableSettings: TestPlugin.Settings?
    let hold: String?
    var damageCommand: String?
    let fingerprintCommand: String?
    let runner: ProgramRunner
    /// What the plugin is given and may not show.
    var secrets: [String] = []
    /// What --fingerprint printed before the first dump; nil if it was not given, or failed.
    var untouched: String?

    /// Throws for mistakes in the settings.
    func requireSettings() throws {
        do throws(DumpError) {
            for file in [settings, unreachableSettings].compactMap({ $0 }) {
                _ = try plugin.provider(for: file.bytes, of: file.file, runner: runner)
            }
        } catch {
            throw CommandFailure(status: .configuration, error: error)
        }
    }

    /// The secrets of the settings, to look for where they may not be.
    func resolvedSecrets() async throws -> [String] {
        do throws(DumpError) {
            return try await plugin.secrets(of: settings.bytes, in: settings.file, runner: runner)
        } catch {
            throw CommandFailure(status: .configuration, error: error)
        }
    }

    func provider(log: Logger) -> any Provider {
        // They were read without a mistake before.
        try! plugin.provider(
            for: settings.bytes, of: settings.file, runner: ProgramRunner(keeper: runner.keeper, log: log))
    }

    var unreachable: (any Provider)? {
        unreachableSettings.flatMap { try? plugin.provider(for: $0.bytes, of: $0.file, runner: runner) }
    }

    func isRestless(_ name: String) -> Bool { plugin.isVolatile(name) }

    func fingerprint() async throws -> String? {
        guard let fingerprintCommand else { return nil }
        let outcome = try await runner.run(shell(fingerprintCommand), output: .collect(limit: 1 << 20))
        try require(outcome, of: "--fingerprint")
        return String(decoding: outcome.output, as: UTF8.self)
    }

    func damage() async throws {
        guard let damageCommand else { throw NotApplicable("nothing damages the source: give --damage") }
        try require(try await runner.run(shell(damageCommand)), of: "--damage")
    }

    func whileHeldUp(_ body: () async throws -> Void) async throws {
        guard let hold else { throw NotApplicable("nothing holds up a dump: give --hold") }
        let isHeld = AsyncStream<Void>.makeStream()
        let holding = Task {
            defer { isHeld.continuation.finish() }
            return try await runner.run(shell(hold), output: .lines { _ in isHeld.continuation.yield() })
        }
        var lines = isHeld.stream.makeAsyncIterator()
        guard await lines.next() != nil else {
            try require(try await holding.value, of: "--hold")
            throw DumpError(
                .settings, "the command of --hold ended without a line",
                hint: "It prints a line once the source is held, and goes on until it is ended.")
        }
        try await withCleanup {
            try await body()
        } cleanup: {
            holding.cancel()
            _ = await holding.result
        }
    }

    func withSmallDisk(bytes: Int, at directory: FilePath, _ body: () async throws -> Void) async throws {
        guard UserAccount.currentIsRoot, mount("muster", directory.string, "tmpfs", 0, "size=\(bytes),mode=700") == 0
        else {
            throw NotApplicable("only root can mount a small disk")
        }
        try await withCleanup {
            try await body()
        } cleanup: {
            umount2(directory.string, Int32(MNT_DETACH))
        }
    }

    /// In the directory in which the command was given, so that its relative paths lead where they should.
    private func shell(_ line: String) -> Program {
        var program = Program(
            "/bin/sh", ["-c", line], workingDirectory: JobOptions.absolute("."), grace: .seconds(2))
        program.inheritedPrefixes = ["MUSTER_"]
        return program
    }

    private func require(_ outcome: ProgramOutcome, of option: String) throws {
        guard !outcome.succeeded else { return }
        throw DumpError(
            .settings, "the command of \(option) \(outcome.status)", hint: "Correct the command, and test again.",
            context: outcome.lastErrors.isEmpty ? [:] : ["stderr": outcome.lastErrors])
    }
}
