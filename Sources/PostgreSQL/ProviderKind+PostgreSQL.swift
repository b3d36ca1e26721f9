import Linux
import Processes
import Settings

extension ProviderKind {
    public static let postgresql = ProviderKind(
        "postgresql", "The databases of a PostgreSQL server, dumped by pg_dump or pg_dumpall.",
        shape: PostgreSQLSettings.shape,
        restorer: { PostgreSQLRestorer(runner: $0) },
        make: { all, means in
            all.map { settings in
                PostgreSQLProvider(settings: settings, runner: means.runner) {
                    try await settings.password?.resolve(
                        for: "the password of PostgreSQL",
                        holder: settings.programUser.flatMap(UserAccount.init(named:)), runner: means.runner)
                }
            }
        })
}
