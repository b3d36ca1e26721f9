import DumpCore
import Processes
import SystemPackage

/// The borg executable that a repository is used with. It is looked for and asked for its version once.
actor InstalledBorg {
    struct Program: Sendable {
        var executable: FilePath
        var version: BorgVersion
    }

    private let name: String
    private let environment: BorgEnvironment
    private let runner: ProgramRunner
    private var known: KnownBorg?
    private var found: Program?

    init(_ name: String, environment: BorgEnvironment, runner: ProgramRunner) {
        self.name = name
        self.environment = environment
        self.runner = runner
    }

    func recall(_ known: KnownBorg?) { self.known = known }

    func find() async throws(BorgError) -> Program {
        if let found { return found }
        try environment.requireWholePaths()
        let executable: FilePath
        let outcome: ProgramOutcome
        do {
            executable = try Executables.find(name)
            if let version = known?.version(of: executable) {
                let program = Program(executable: executable, version: version)
                found = program
                return program
            }
            outcome = try await runner.run(
                environment.program(executable, ["--version"]), output: .collect(limit: 64 * 1024))
        } catch {
            throw BorgError(error)
        }
        let program = try Self.usable(executable, outcome)
        found = program
        return program
    }

    private static func usable(_ executable: FilePath, _ outcome: ProgramOutcome) throws(BorgError) -> Program {
        let printed = String(decoding: outcome.output, as: UTF8.self)
        if !outcome.succeeded, let error = broken(executable, outcome.lastErrors) { throw error }
        guard outcome.succeeded, let version = BorgVersion(printed: printed) else {
            throw BorgError(
                .programUnsuitable, "\(executable) is not Borg, or does not run: its --version \(outcome.status)",
                hint: "Check borg:, and what \(executable) --version says.",
                context: ["output": printed, "stderr": outcome.lastErrors])
        }
        guard version >= BorgVersion.supported.lowerBound else {
            throw BorgError(
                .programUnsuitable, "\(executable) is Borg \(version), which is too old",
                hint: "Install Borg \(BorgVersion.supported.lowerBound) or newer, or set borg: to one.")
        }
        guard version < BorgVersion.supported.upperBound else {
            throw BorgError(
                .programUnsuitable, "\(executable) is Borg \(version), which is not supported yet",
                hint: "Install Borg 1.4 beside it and set borg: to its path.")
        }
        return Program(executable: executable, version: version)
    }

    /// What keeps a Borg from starting that was installed once: its Python is gone, or a part of it.
    private static func broken(_ executable: FilePath, _ said: String) -> BorgError? {
        guard let last = said.split(atASCII: "\n").last else { return nil }
        let isInterpreter = last.hasSuffix("cannot run \(executable): No such file or directory")
        guard isInterpreter || BorgFault.ofMissingModule(String(last)) != nil else { return nil }
        return BorgError(
            .programUnsuitable,
            "\(executable) does not start: "
                + (isInterpreter ? "its Python is gone" : "a part of it or of Python is missing"),
            hint: BorgFault.reinstallHint, context: isInterpreter ? [:] : ["borg": String(last)])
    }
}
