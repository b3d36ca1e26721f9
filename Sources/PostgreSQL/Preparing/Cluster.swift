import DumpCore
import SystemPackage

/// What is known of a cluster once it was examined.
struct Cluster: Sendable {
    var settings: PostgreSQLSettings
    var facts: ServerFacts
    var selection: DatabaseSelection
    var client: Result<Client, DumpError>
    var access: ClusterAccess
    var opener: SessionOpener
    /// Databases that are frozen together, group after group. None with `layout: cluster`.
    var groups: [[ServerFacts.Database]]
    var prepared = PreparedDatabases()

    static let globals = WorkUnit(name: "globals", path: "globals.sql", estimatedBytes: 16 * 1024)

    var units: [WorkUnit] { dumpUnits + (settings.copiesSettings ? [SettingsDump.unit] : []) }

    private var dumpUnits: [WorkUnit] {
        switch settings.layout {
        case .databases: selection.selected.map(unit) + [Self.globals]
        case .cluster:
            [
                WorkUnit(
                    name: "cluster", path: "all.sql",
                    estimatedBytes: selection.selected.reduce(Self.globals.estimatedBytes) { $0 + estimate($1) })
            ]
        }
    }

    func unit(for database: ServerFacts.Database) -> WorkUnit {
        WorkUnit(
            name: database.name, path: FilePath("databases").appending(escapedPathComponent(database.name)),
            estimatedBytes: estimate(database))
    }

    /// What a database takes on the server without what every database takes; its indexes are counted, its text is not.
    private func estimate(_ database: ServerFacts.Database) -> Int64 {
        let empty = facts.databases.compactMap(\.bytes).min() ?? 0
        return max((database.bytes ?? 0) - empty, 0) + 16 * 1024
    }

    func identity(of client: Client) -> ErrorContext {
        [
            "server_version": facts.version, "system_identifier": facts.systemIdentifier,
            "client_version": client.version.description, "in_recovery": facts.inRecovery ? "true" : "false",
            "connection": access.options.shownEndpoint, "role": facts.role.name,
        ]
    }
}

extension ConnectionOptions {
    /// Only where it leads, without how.
    var shownEndpoint: String {
        var endpoint = self
        for option in options where !["host", "port", "user", "service"].contains(option.keyword) {
            endpoint[option.keyword] = nil
        }
        return endpoint.shown
    }
}
