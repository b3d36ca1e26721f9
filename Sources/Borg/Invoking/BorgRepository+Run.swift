import DumpCore
import Linux
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

    /// Of the Borg that the repository is used with. Decides its words, see `BorgVersion+Dialect.swift`.
    func version() async throws(BorgError) -> BorgVersion { try await installed.find().version }

    /// Throws unless Borg did what it was told, without a word about files.
    func requireSuccess(_ outcome: BorgOutcome, _ verb: String) throws(BorgError) {
        guard outcome.status == .exited(0), outcome.messages.warnings.isEmpty else { throw failure(outcome, verb) }
    }

    /// What a run that did not succeed means.
    func failure(_ outcome: BorgOutcome, _ verb: String) -> BorgError {
        let said = outcome.messages.lastLines
        var fault = BorgFault.of(messageID: outcome.messages.errorID, status: outcome.status)
        if fault == nil { fault = BorgFault.byText(said) }
        if fault?.code == .connectionLost { fault = BorgFault.ofServer(saying: outcome.messages.fromServer) ?? fault }
        // Without one, Borg is given an empty passphrase, so that it never asks.
        if fault?.code == .passphraseWrong, environment.passphrase == nil { fault = .passphraseMissing }
        var error = fault.map { self.error(of: $0) } ?? unknownFailure(outcome.status, verb)
        if error.code == .locked { error.context["holder"] = lockHolder }
        if !said.isEmpty { error.context["borg"] = said.joined(separator: "\n") }
        return error
    }

    private func unknownFailure(_ status: ProgramOutcome.Status, _ verb: String) -> BorgError {
        let ending = status == .exited(0) ? "gave a warning" : "\(status)"
        return BorgError(
            status.isSignal ? .killed : .failed, "borg \(verb) on repository '\(name)' \(ending)",
            context: ["location": settings.location])
    }

    func error(of fault: BorgFault) -> BorgError {
        let message = fault.message.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
            .joined(separator: "'\(name)'")
        return BorgError(fault.code, message, hint: fault.hint, context: ["location": settings.location])
    }

    /// Who has the lock of a local repository, as Borg notes it: host, a number of its network card, process and thread.
    private var lockHolder: String? {
        guard settings.location.hasPrefix("/") else { return nil }
        // Only to tell more: the holder may be gone, or may hold another lock.
        let names = try? FileSystem.names(in: FilePath(settings.location).appending("lock.exclusive"))
        return names?.first?.string
    }
}

extension ProgramOutcome.Status {
    /// What Borg calls a warning: 1 and, under modern exit codes, 100 to 127. A create has then written an archive, if it was
    /// Borg that exited so.
    var isWarning: Bool {
        guard case .exited(let status) = self else { return false }
        return status == 1 || (100...127).contains(status)
    }

    /// A program that handles a signal in good order exits with 128 and its number, as Borg does.
    fileprivate var isSignal: Bool {
        switch self {
        case .signaled: true
        case .exited(let status): status > 128
        }
    }
}
