import Directories
import DumpCore
import Linux
import PostgreSQL
import Processes
import Settings
import Snapshots

/// Every kind of provider that comes with the program, and how it is made from its settings.
enum BuiltInProviders {
    static let kinds: [any ProviderSettings.Type] = [PostgreSQLSettings.self, DirectorySettings.self]

    /// - Parameter round: of the job.
    static func provider(
        for settings: any ProviderSettings, runner: ProgramRunner, round: SnapshotRound
    ) -> any Provider {
        switch settings {
        case let settings as PostgreSQLSettings:
            return PostgreSQLProvider(settings: settings, runner: runner) {
                try await settings.password?.resolve(
                    for: "the password of PostgreSQL", holder: settings.programUser.flatMap(UserAccount.init(named:)),
                    runner: runner)
            }
        case let settings as DirectorySettings:
            return DirectoryProvider(settings: settings, round: round)
        default: fatalError("no provider for settings of kind \(type(of: settings).kind)")
        }
    }
}
