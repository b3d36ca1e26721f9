import ArgumentParser
import Borg
import Catalog
import DumpCore
import Glibc
import Linux
import Logging
import Processes
import SystemPackage

/// A repository that is named by its location, with all that opens it. It is for a host without a job file and without anything that an
/// earlier run left.
struct LocationOptions: ParsableArguments {
    @Option(
        name: .customLong("repository-location"),
        help: ArgumentHelp(
            "Read a repository without a job: a path, user@host:path or ssh://user@host/path.", valueName: "location"))
    var location: String?

    @Option(help: ArgumentHelp("With it: the borg command on the server, such as borg14.", valueName: "command"))
    var remotePath: String?

    @Option(
        help: ArgumentHelp("With it: the private key to log in to the server with.", valueName: "file"),
        completion: .file())
    var sshKey: String?

    @Option(
        help: ArgumentHelp(
            "With it: a file with the passphrase, else BORG_PASSPHRASE, BORG_PASSCOMMAND, or the terminal.",
            valueName: "file"), completion: .file())
    var passphraseFile: String?

    @Option(
        help: ArgumentHelp("With it: a copy of a keyfile repository's key (key_export:).", valueName: "file"),
        completion: .file())
    var keyFile: String?

    /// Throws if an option is there that only goes with a location.
    func requireNone() throws {
        let given = [
            ("--remote-path", remotePath), ("--ssh-key", sshKey), ("--passphrase-file", passphraseFile),
            ("--key-file", keyFile),
        ]
        guard let (option, _) = given.first(where: { $0.1 != nil }) else { return }
        throw ValidationError(
            "\(option) goes with --repository-location only", hint: "A job's settings are in its job file.")
    }

    /// Calls `body` with the archives at the location.
    ///
    /// Borg gets directories of its own for its notes on repositories, which are removed in the end. So it knows no other location of
    /// the repository, and what it learns about this one changes nothing for the jobs of this host.
    func withCatalog<Result>(
        log: Logger, _ body: (ArchiveCatalog) async throws -> Result
    ) async throws -> Result {
        let settings = try settings()
        let key = try keyPath()
        let runner = ProgramRunner(keeper: try Keeper.installed(), log: log)
        let passphrase = try await passphrase(of: settings.location, runner)
        log.info(
            "borg is told to accept the repository at this location without a question, encrypted or not",
            metadata: ["location": "\(settings.location)"])
        let notes = try BorgNotes()
        return try await withCleanup {
            do {
                let repository = BorgRepository(
                    name: settings.location, settings: settings, passphrase: passphrase,
                    environment: notes.variables(key), runner: runner, log: log)
                return try await body(ArchiveCatalog(of: repository, log: log))
            } catch {
                throw Self.advised(error, settings.location)
            }
        } cleanup: {
            notes.remove()
        }
    }

    private func settings() throws -> RepositorySettings {
        var settings = RepositorySettings()
        settings.location = try path(location ?? "")
        settings.remotePath = remotePath
        settings.encryption = RepositorySettings.AcceptedEncryption.none
        guard let sshKey else { return settings }
        guard settings.localPath == nil else {
            throw ValidationError(
                "--ssh-key goes with a repository on a server only", hint: "Leave it out, or name a server.")
        }
        settings.ssh = SSHSettings()
        settings.ssh?.identityFile = JobOptions.absolute(sshKey)
        try requireControl(of: settings)
        return settings
    }

    /// A path may be relative on a command line.
    private func path(_ location: String) throws -> String {
        let isName = location.contains(":") || location.hasPrefix("/") || location.isEmpty
        let absolute = isName ? location : JobOptions.absolute(location).string
        if let fault = RepositorySettings.fault(inLocation: absolute) {
            throw ValidationError(
                "--repository-location \(fault.message)",
                hint: fault.hint ?? "Write /path, user@host:path or ssh://user@host/path.")
        }
        return absolute
    }

    private func keyPath() throws -> FilePath? {
        guard let path = keyFile.map(JobOptions.absolute) else { return nil }
        guard BorgRepository.repositoryID(ofKeyIn: path) != nil else {
            throw ValidationError(
                "\(path) is not a copy of a key", hint: "Name the file that key_export: or borg key export has written."
            )
        }
        return path
    }

    private func requireControl(of settings: RepositorySettings) throws {
        do {
            try settings.requireControlOfKeys()
        } catch {
            throw CommandFailure(status: .configuration, error: error)
        }
    }
}

extension LocationOptions {
    /// Asked for on a terminal if it was not given. Nil for a repository without one.
    private func passphrase(of location: String, _ runner: ProgramRunner) async throws -> Secret? {
        let subject = "the passphrase of repository '\(location)'"
        do {
            if let passphraseFile {
                let path = JobOptions.absolute(passphraseFile).string
                return try await SecretSource.file(path).resolve(for: subject, runner: runner)
            }
            if let text = Self.variable("BORG_PASSPHRASE") { return Secret(text) }
            if let command = Self.variable("BORG_PASSCOMMAND") {
                return try await SecretSource.command(command).resolve(for: subject, runner: runner)
            }
        } catch {
            throw CommandFailure(status: .archiveFailed, error: error)
        }
        return try HiddenLine(question: "Passphrase of \(location) (empty if it has none): ").ask()
    }

    private static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    /// The hints of a repository's errors name a job, and keys of its file.
    private static func advised(_ error: any Error, _ location: String) -> any Error {
        guard let known = error as? any OperatorError else { return error }
        let hint: String? =
            switch BorgError.Code(rawValue: known.codeName) {
            case .passphraseWrong, .passphraseMissing:
                "Give it with --passphrase-file FILE, in BORG_PASSPHRASE, or on a terminal, where Muster asks for it."
            case .keyUnusable: "Name the copy of the key: --key-file FILE. A job's key_export: names it."
            case .repositoryMissing: "Check --repository-location, and that its disk is mounted."
            default: known.hint?.replacing("muster borg \(location) --", with: "BORG_REPO=\(location) borg")
            }
        return AdvisedError(error: known, hint: hint)
    }
}

/// An error with another hint.
struct AdvisedError: OperatorError {
    let error: any OperatorError
    let hint: String?
    var codeName: String { error.codeName }
    var message: String { error.message }
    var context: ErrorContext { error.context }
}
