import DumpCore
import Linux
import Processes
import SystemPackage

/// What a Borg that did not succeed means.
extension BorgRepository {
    func failure(_ outcome: BorgOutcome, _ verb: String) -> BorgError {
        let said = outcome.messages.lastLines
        var error = fault(of: outcome).map { self.error(of: $0) } ?? unknownFailure(outcome, verb)
        if error.code == .locked { error.context["holder"] = lockHolder }
        if !said.isEmpty { error.context["borg"] = said.joined(separator: "\n") }
        return error
    }

    /// The reason that the operating system gives says more than Borg's word for what it kept Borg from.
    private func fault(of outcome: BorgOutcome) -> BorgFault? {
        let messages = outcome.messages
        let fault =
            fault(of: messages)
            ?? BorgFault.of(messageID: messages.errorID, status: outcome.status)
            ?? BorgFault.byText(messages.lastLines)
        switch fault?.code {
        case .connectionLost?:
            return BorgFault.ofServer(
                saying: messages.fromServer, program: settings.remotePath ?? "borg", hasBegun: messages.createBegan)
                ?? fault
        // Without one, Borg is given an empty passphrase, so that it never asks.
        case .passphraseWrong? where environment.passphrase == nil: return .passphraseMissing
        default: return fault
        }
    }

    /// Where Python, and not Borg, has the last word.
    private func fault(of messages: BorgMessages) -> BorgFault? {
        let place = messages.place(environment.directories, repository: settings.localPath)
        if let number = messages.systemFault?.number, let fault = BorgFault.ofSystem(number, at: place) { return fault }
        guard let exception = messages.traceback?.exception else { return nil }
        if let fault = BorgFault.ofMissingModule(exception) { return fault }
        if exception.hasPrefix("MemoryError") { return .outOfMemory }
        let isNamed = messages.errorID.flatMap { BorgFault.of(messageID: $0, status: .exited(2)) } != nil
        if case .ownFiles = place, !isNamed || messages.errorID == "FileIntegrityError" { return .cacheDamaged }
        return nil
    }

    private func unknownFailure(_ outcome: BorgOutcome, _ verb: String) -> BorgError {
        let (status, exception) = (outcome.status, outcome.messages.traceback?.exception)
        let ending =
            exception.map { "ended with an error that it did not expect: \($0)" }
            ?? (status == .exited(0) ? "gave a warning" : "\(status)")
        return BorgError(
            status.isSignal ? .killed : .failed, "borg \(verb) on repository '\(name)' \(ending)",
            hint: exception.map { _ in "Run it again with -vv to see all that Borg prints." },
            context: ["location": settings.location])
    }

    func error(of fault: BorgFault) -> BorgError {
        let hint = fault.hint.replacing(BorgFault.timestampFile, with: timestampFile)
        return BorgError(
            fault.code, fault.message.replacing("%", with: "'\(name)'"), hint: hint.replacing("%", with: name),
            context: ["location": settings.location])
    }

    /// Where Borg notes how new this repository was, as a shell takes it, with what to know of it. Borg tells the id of a local one alone.
    private var timestampFile: String {
        let (directory, file) = (environment.directories.security, "manifest-timestamp (and keep the file nonce there)")
        return settings.localPath != nil
            ? "\(directory)/$(muster borg % -- config :: id)/\(file)"
            : "\(directory)/ID/\(file); to find ID, run: grep . \(directory)/*/location"
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
    /// A program that handles a signal in good order exits with 128 and its number, as Borg does.
    fileprivate var isSignal: Bool {
        switch self {
        case .signaled: true
        case .exited(let status): status > 128
        }
    }
}
