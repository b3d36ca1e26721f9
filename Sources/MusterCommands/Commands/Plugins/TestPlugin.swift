import ArgumentParser
import Conformance
import DumpCore
import Glibc
import Linux
import Plugins
import Processes
import SystemPackage

struct TestPlugin: MusterCommand {
    static let manual = CommandManual(
        "test", "Check a plugin against a real source: every claim that a plugin must meet.",
        story: """
            FILE holds the settings of a dump, as they stand in a job file below provider:, or is a job file. The source is dumped several \
            times into a directory that is removed. Without --hold, --damage and --fingerprint some claims cannot be checked: they are \
            named, and do not count as held. These commands are run by sh in the working directory; one that fails is an error.
            """,
        examples: [
            "muster plugins test ./mydb --config settings.yaml": "Test a plugin that you write.",
            "muster plugins test sqlite --config nightly.yaml --fingerprint ./fingerprint":
                "Show too that a dump leaves the source as it is.",
        ])
    @Argument(help: ArgumentHelp("The plugin's name, or its directory.", valueName: "plugin")) var plugin: String
    @Option(
        name: .shortAndLong, help: ArgumentHelp("The settings of the source, or a job file.", valueName: "file"),
        completion: .file(extensions: ["yaml", "yml", "json"]))
    var config: String
    @Option(
        help: ArgumentHelp(
            "A command for sh that keeps a dump of the source from ending, prints a line once it does, and releases the source when it is ended.",
            valueName: "command"))
    var hold: String?
    @Option(
        help: ArgumentHelp(
            "A command for sh that damages the source, so that no dump of it can be whole. It runs last.",
            valueName: "command"))
    var damage: String?
    @Option(
        help: ArgumentHelp(
            "A command for sh that prints the same as long as the source is the same.", valueName: "command"))
    var fingerprint: String?
    @Option(help: ArgumentHelp("Settings of a source that cannot be reached.", valueName: "file"))
    var unreachable: String?
    @OptionGroup var options: PluginPathOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let plugin = try options.plugin(plugin)
        let log = output.logger()
        let runner = ProgramRunner(keeper: try Keeper.installed(), log: log)
        var trial = PluginTrial(
            plugin: plugin, settings: try Settings(config),
            unreachableSettings: try unreachable.map { try Settings($0) },
            hold: hold, damageCommand: damage, fingerprintCommand: fingerprint, runner: runner)
        // Report mistakes in the files before running anything.
        try trial.requireSettings()
        trial.secrets = try await trial.resolvedSecrets()
        // A command that fails is reported by the claims that need it.
        trial.untouched = try? await trial.fingerprint()
        try await requireDump(by: trial)
        var results: [Result] = []
        for claim in Self.claims {
            let result = Result(claim.name, try await withScratch { await claim.outcome(of: trial, in: $0) })
            if !output.json, !output.quiet || result.outcome == .failed { Console.shared.result(result.text) }
            results.append(result)
        }
        if output.json { Console.shared.result(try json(results, as: "claims")) }
        let failed = results.count { $0.outcome == .failed }
        if !output.json, !output.quiet { Console.shared.result(verdict(results)) }
        if failed > 0 { throw ExitCode(ExitStatus.failed.rawValue) }
    }

    /// A claim about a dump that fails would hold without saying anything.
    private func requireDump(by trial: PluginTrial) async throws {
        do {
            try await withScratch { scratch in
                let directory = scratch.appending("dump")
                try FileSystem.createDirectory(directory)
                let run = TestRun()
                try await run.dump(trial.provider(log: run.context.log), into: directory)
            }
        } catch let error as DumpError {
            throw CommandFailure(
                status: .failed, error: error,
                lastLine: "\(plugin): no claim was checked: the source cannot be dumped as it is")
        }
    }

    /// A claim of any kind.
    private enum Claim {
        case provider(ProviderClaim)
        case plugin(PluginClaim)

        var name: String {
            switch self {
            case .provider(let claim): claim.rawValue
            case .plugin(let claim): claim.rawValue
            }
        }

        func outcome(of trial: PluginTrial, in scratch: FilePath) async -> ClaimOutcome {
            switch self {
            case .provider(.damagedSource): return await ProviderClaim.damagedSource.outcome(of: trial, in: scratch)
            case .provider(let claim):
                // The others find the source whole.
                var trial = trial
                trial.damageCommand = nil
                return await claim.outcome(of: trial, in: scratch)
            case .plugin(let claim): return await claim.outcome(of: trial, in: scratch)
            }
        }
    }

    /// What damages the source comes last.
    private static var claims: [Claim] {
        ProviderClaim.allCases.filter { $0 != .damagedSource }.map { .provider($0) }
            + PluginClaim.allCases.map { .plugin($0) } + [.provider(.damagedSource)]
    }

    private func withScratch<Value>(_ work: (FilePath) async throws -> Value) async throws -> Value {
        var template = Array(FilePath.temporaryFiles.appending("muster-plugin-test-XXXXXX").string.utf8CString)
        guard mkdtemp(&template) != nil else { throw Errno(rawValue: errno) }
        let scratch = FilePath(platformString: template)
        return try await withCleanup {
            try await work(scratch)
        } cleanup: {
            do { try FileTree(scratch).remove() } catch { Console.shared.error("cannot remove \(scratch): \(error)") }
        }
    }

    private func verdict(_ results: [Result]) -> String {
        let (held, failed) = (results.count { $0.outcome == .held }, results.count { $0.outcome == .failed })
        let open = results.count - held - failed
        let left = open == 0 ? "" : ", \(open) could not be checked"
        return failed == 0
            ? "\(plugin): \(held) claims hold\(left)"
            : "\(plugin): \(failed) of \(results.count) claims do not hold\(left)"
    }

    /// What a file says.
    struct Settings: Sendable {
        var file: FilePath
        var bytes: [UInt8]

        init(_ path: String) throws {
            file = JobOptions.absolute(path)
            do {
                let descriptor = try FileDescriptor.open(file, .readOnly, options: .closeOnExec)
                bytes = try descriptor.closeAfter { try descriptor.readAll(atMost: 1 << 20) }
            } catch {
                throw CommandFailure(
                    status: .configuration,
                    error: DumpError(
                        .settings, "cannot read \(path): \(error)", hint: "Name a file with the settings of a dump."))
            }
        }
    }

    private struct Result: Encodable {
        enum Outcome: String, Encodable {
            case held, failed
            case notApplicable = "not_applicable"
        }

        var claim: String
        var outcome: Outcome
        /// What does not hold, or why it could not be checked.
        var reasons: [String]

        init(_ claim: String, _ outcome: ClaimOutcome) {
            self.claim = claim
            switch outcome {
            case .passed: (self.outcome, reasons) = (.held, [])
            case .failed(let faults): (self.outcome, reasons) = (.failed, faults)
            case .notApplicable(let why): (self.outcome, reasons) = (.notApplicable, [why])
            }
        }

        var text: String {
            let word =
                switch outcome {
                case .held: "holds      "
                case .failed: "FAILS      "
                case .notApplicable: "not checked"
                }
            let lines = reasons.flatMap { $0.split(atASCII: "\n").map(String.init) }
            return (["\(word)  \(claim)"] + lines.map { "               \($0)" }).asLines
        }
    }
}
