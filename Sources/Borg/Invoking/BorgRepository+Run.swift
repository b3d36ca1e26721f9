import DumpCore
import Processes
import SystemPackage

/// How one run of Borg ended.
struct BorgOutcome: Sendable {
    var status: ProgramOutcome.Status
    /// What was collected.
    var output: [UInt8]
    var messages: BorgMessages
}

extension BorgRepository {
    /// Runs one verb to its end. A bad status is a value, see `requireSuccess`.
    ///
    /// - Parameters:
    ///   - arguments: the verb and what belongs to it.
    ///   - variables: of the environment, besides those that every Borg gets.
    ///   - lockWait: how long Borg waits for another's lock.
    func run(
        _ arguments: [String], in directory: FilePath = "/", variables: [String: String] = [:],
        lockWait: Duration? = nil, output: ProgramOutput = .discard, log: BorgLog = BorgLog()
    ) async throws(BorgError) -> BorgOutcome {
        let borg = try await installed.find()
        let wait = (lockWait ?? settings.lockWait).components.seconds
        var program = environment.program(
            borg.executable, ["--log-json", "--lock-wait", String(wait)] + arguments, in: directory)
        program.environment.merge(variables) { $1 }
        let outcome = try await runWatched(program, verb: arguments.first ?? "", output: output, log: log)
        return BorgOutcome(status: outcome.status, output: outcome.output, messages: log.messages)
    }

    /// The version of the Borg that the repository is used with. It decides Borg's words, see `BorgVersion+Dialect.swift`.
    func version() async throws(BorgError) -> BorgVersion { try await installed.find().version }

    /// Throws unless Borg did what it was asked to, without a word about files.
    func requireSuccess(_ outcome: BorgOutcome, _ verb: String) throws(BorgError) {
        guard outcome.status == .exited(0), outcome.messages.warnings.isEmpty else { throw failure(outcome, verb) }
    }
}

extension ProgramOutcome.Status {
    /// What Borg calls a warning: 1 and, under modern exit codes, 100 to 127. A create has then written an archive, if it was
    /// Borg that exited so.
    var isWarning: Bool {
        guard case .exited(let status) = self else { return false }
        return status == 1 || (100...127).contains(status)
    }
}
