import DumpCore
import Processes
import Settings
import SystemPackage

/// Runs the system's own programs, such as `lvs` and `mount`.
struct SystemPrograms: Sendable {
    let runner: ProgramRunner
    /// `PATH`, and where they are: an ordinary user's PATH, or cron's, lacks some of it.
    var searchPath = Executables.searchPath + ["/usr/local/sbin", "/usr/sbin", "/sbin"]

    /// A program that is stopped has this long to end well. A killed `lvcreate` may leave a volume suspended, and
    /// everyone who writes to it waiting.
    private static let grace = Duration.seconds(300)

    /// Throws when it is not installed.
    func path(of name: String) throws(DumpError) -> FilePath {
        do throws(ProcessError) {
            if name.contains("/") { return try Executables.find(name) }
            if let found = searchPath.map({ $0.appending(name) }).first(where: Executables.isExecutable) {
                return found
            }
            throw ProcessError(
                .programNotFound, "\(name) is not installed, or not in PATH", hint: "Install it.",
                context: ["PATH": searchPath.map(\.string).joined(separator: ":")])
        } catch {
            throw DumpError(error)
        }
    }

    /// Runs a program to its end. A bad status is a value.
    func outcome(
        _ name: String, _ arguments: [String], environment: [String: String] = [:]
    ) async throws(DumpError) -> ProgramOutcome {
        let program = Program(try path(of: name), arguments, environment: environment, grace: Self.grace)
        do {
            return try await runner.run(program, output: .collect(limit: 64 << 20))
        } catch {
            throw DumpError(error)
        }
    }

    /// Runs a program that must end with status 0, and returns what it wrote.
    @discardableResult
    func run(
        _ name: String, _ arguments: [String], hint: String? = nil
    ) async throws(DumpError) -> String {
        String(decoding: try await bytes(name, arguments, hint: hint), as: UTF8.self)
    }

    /// The same, for output that names files: they need not be UTF-8.
    func bytes(_ name: String, _ arguments: [String], hint: String? = nil) async throws(DumpError) -> [UInt8] {
        let outcome = try await outcome(name, arguments)
        guard outcome.succeeded else { throw DumpError(outcome, of: [name] + arguments, hint: hint) }
        return outcome.output
    }

    /// Runs a command of the operator's, which must end with status 0 in time.
    ///
    /// - Parameters:
    ///   - purpose: what it is for, such as `the command that creates the snapshot`.
    func run(
        _ command: [String], for purpose: String, within deadline: Duration, environment: [String: String] = [:]
    ) async throws(DumpError) {
        let program = Program(try path(of: command[0]), Array(command.dropFirst()), environment: environment)
        guard let outcome = try await outcome(of: program, for: purpose, within: deadline) else {
            throw DumpError(tooLong: command, for: purpose, deadline)
        }
        guard outcome.succeeded else { throw DumpError(outcome, of: command, for: purpose) }
    }

    /// Nil when the time was up.
    private func outcome(
        of program: Program, for purpose: String, within deadline: Duration
    ) async throws(DumpError) -> ProgramOutcome? {
        do {
            return try await withDeadline(deadline) { try await runner.run(program) }
        } catch let error as ProcessError {
            throw DumpError(error)
        } catch {
            throw DumpError(.cancelled, "\(purpose) was stopped", underlying: error)
        }
    }
}

extension DumpError {
    /// A program ended with a bad status.
    ///
    /// - Parameter purpose: what it was for, if its name does not say that.
    init(_ outcome: ProgramOutcome, of command: [String], for purpose: String? = nil, hint: String? = nil) {
        let name = purpose ?? FilePath(command[0]).lastComponent?.string ?? command[0]
        var context: ErrorContext = ["command": command.joined(separator: " ")]
        if !outcome.lastErrors.isEmpty { context["stderr"] = outcome.lastErrors }
        self.init(.programFailed, "\(name) \(outcome.status)", hint: hint, context: context)
    }

    /// A command of the operator's was stopped because its time was up.
    init(tooLong command: [String], for purpose: String, _ limit: Duration) {
        self.init(
            .deadline, "\(purpose) took longer than \(limit.settingsText), and was stopped",
            hint: "Find out what it waits for, or give it more time in the job file.",
            context: ["command": command.joined(separator: " ")])
    }
}

extension DumpErrorCode {
    /// A snapshot was there when it was taken, and is no longer whole.
    public static let snapshotLost = DumpError.Code(rawValue: "snapshot_lost")
}
