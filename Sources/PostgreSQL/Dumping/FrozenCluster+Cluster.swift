import DumpCore
import SystemPackage

extension FrozenCluster {
    /// `layout: cluster`: everything in one script of pg_dumpall.
    func dumpScript(
        in directory: FilePath, _ run: RunContext, under watch: ServerWatch
    ) async throws(DumpError) -> DumpedCluster {
        let unit = cluster.units[0]
        let expected = cluster.selection.selected.map(\.name)
        let script = ScriptDump(
            subject: "the cluster", unit: unit, directory: directory, client: client, access: cluster.access,
            watch: watch, arguments: clusterArguments, bootstrapRole: cluster.facts.bootstrapRole,
            settingsOfAllRoles: cluster.facts.settingsOfAllRoles, databases: expected)
        let omissions = try await cluster.survey.askDatabases(open: [], opener: cluster.opener)
        try cluster.settings.omissionPolicy.requireAllowed(omissions)
        let tables = try await ClusterTables.ask(
            cluster.selection.selected.filter(\.mayConnect), by: cluster.opener)
        var part = try await script.take(in: run)
        try await tables.requireRows(in: directory.pushing(unit.path))
        part.omissions = omissions
        part.databases = expected.map { DatabaseContents(name: $0, path: unit.path.string, tables: []) }
        return DumpedCluster(parts: [part], moment: Moment(.window, from: part.from, to: part.to))
    }

    private var clusterArguments: [String] {
        var arguments = [
            "--clean", "--if-exists", "--lock-wait-timeout=\(cluster.settings.lockTimeout.wholeMilliseconds)",
        ]
        if !cluster.facts.role.readsPasswords { arguments.append("--no-role-passwords") }
        if client.version.dumpsStatistics { arguments.append("--statistics") }
        // Quoted, a pattern stands for exactly one name: the same choice of databases as in the other layout.
        return arguments
            + cluster.selection.excluded.map { "--exclude-database=\"\($0.name.marking("\"", with: "\""))\"" }
    }
}

extension Duration {
    /// At least 1: to the programs, 0 is no limit.
    var wholeMilliseconds: Int64 {
        max(components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000, 1)
    }
}
