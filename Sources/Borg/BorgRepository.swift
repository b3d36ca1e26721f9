import DumpCore
import Logging
import Processes
import SystemPackage

/// One repository of a job.
///
/// Each verb runs Borg, once or more. When it returns or throws, no Borg is left, nor a lock of one. A cancelled task gets
/// `BorgError(.cancelled)`, once Borg has ended in good order, which may take a minute.
public struct BorgRepository: Sendable {
    /// Its name in the job file.
    public let name: String
    public let settings: RepositorySettings
    let environment: BorgEnvironment
    let runner: ProgramRunner
    let log: Logger
    let installed: InstalledBorg

    /// - Parameters:
    ///   - passphrase: of the repository's key; nil if it has none.
    ///   - environment: variables for Borg, over what it inherits from Muster.
    public init(
        name: String, settings: RepositorySettings, passphrase: Secret?, environment: [String: String] = [:],
        runner: ProgramRunner, log: Logger
    ) {
        self.name = name
        self.settings = settings
        self.environment = BorgEnvironment(
            location: settings.location, remotePath: settings.remotePath, shell: RemoteShell.command(for: settings),
            passphrase: passphrase, extra: environment)
        self.runner = runner
        self.log = log
        installed = InstalledBorg(settings.program, environment: self.environment.withoutPassphrase, runner: runner)
    }
}
