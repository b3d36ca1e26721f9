import DumpCore
import Glibc
import Linux
import SystemPackage

extension SecretSource {
    /// No secret is longer.
    static let longestSecret = 64 * 1024

    /// Fetches the secret.
    ///
    /// - Parameters:
    ///   - subject: what it is the secret of, for messages: `the passphrase of repository 'offsite'`.
    ///   - holder: the user whose programs are given the secret. That user may be able to change its file; no other may.
    ///   - limit: how long a command may take.
    ///   - credentials: the directory of the unit's credentials.
    /// - Throws: `secretUnavailable` with a message that holds nothing of the secret, or `cancelled`.
    public func resolve(
        for subject: String, holder: UserAccount? = nil, runner: ProgramRunner, limit: Duration = .seconds(60),
        credentials: FilePath? = SecretSource.credentialsDirectory
    ) async throws(ProcessError) -> Secret {
        var bytes: [UInt8] = []
        defer { bytes.wipe() }
        do throws(SecretFailure) {
            switch self {
            case .file(let path):
                bytes = try await Self.readFile(FilePath(path), holder: holder)
            case .credential(let name): bytes = try await Self.readCredential(name, in: credentials)
            case .command(let line): bytes = try await Self.output(of: line, runner: runner, limit: limit)
            }
            return try secret(in: bytes)
        } catch {
            throw error.error(about: subject)
        }
    }

    /// One line, its end not counted.
    private func secret(in bytes: [UInt8]) throws(SecretFailure) -> Secret {
        let line = bytes.last == UInt8(ascii: "\n") ? bytes.dropLast() : bytes[...]
        guard !line.isEmpty else {
            guard case .file(let path) = self else { throw SecretFailure("it is empty") }
            throw SecretFailure("\(path) is empty", hint: "Write the secret into it, in one line.")
        }
        guard !line.contains(where: { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }) else {
            throw SecretFailure("it is more than one line", hint: "Leave only the secret there, in one line.")
        }
        guard !line.contains(0), let text = String(validating: line, as: UTF8.self) else {
            throw SecretFailure("it is not text in UTF-8")
        }
        return Secret(text)
    }
}

/// Why there is no secret, to be completed with whose it is.
struct SecretFailure: Error {
    var reason: String
    var hint: String?
    var context: ErrorContext
    var isOfMissingFile = false
    /// The error to pass on as it is.
    var cancelled: ProcessError?

    init(_ reason: String, hint: String? = nil, context: ErrorContext = [:]) {
        self.reason = reason
        self.hint = hint
        self.context = context
    }

    init(_ error: ProcessError) {
        self.init(error.message, hint: error.hint, context: error.context)
        if error.code == .cancelled { cancelled = error }
    }

    func error(about subject: String) -> ProcessError {
        cancelled
            ?? ProcessError(.secretUnavailable, "cannot read \(subject): \(reason)", hint: hint, context: context)
    }
}
