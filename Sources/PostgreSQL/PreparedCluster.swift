import DumpCore
import Linux
import SystemPackage

/// A cluster that was examined. Its session stays open until it is closed.
struct PreparedCluster: PreparedSource {
    let facts: ErrorContext
    let findings: [Finding]
    let omissions: [Finding]
    let units: [WorkUnit]
    private let cluster: Cluster
    private let session: Session
    /// The first group of databases, ready to be frozen.
    private let open: [OpenDatabase]

    init(
        cluster: Cluster, session: Session, open: [OpenDatabase], facts: ErrorContext, findings: [Finding],
        omissions: [Finding]
    ) {
        self.cluster = cluster
        self.facts = facts
        self.omissions = omissions
        self.session = session
        self.open = open
        units = cluster.units
        self.findings =
            (cluster.selection.findings + findings + Self.findings(of: cluster.client)
            + cluster.facts.role.findings)
            .sorted { $0.severity > $1.severity }
    }

    func freeze(in run: RunContext) async throws(DumpError) -> any FrozenSource {
        do {
            let client = try cluster.client.get()
            guard !open.isEmpty, cluster.facts.inRecovery, cluster.settings.pausesReplay else {
                let first = open.isEmpty ? nil : try await cluster.freeze(open)
                return FrozenCluster(cluster: cluster, client: client, control: session, first: first)
            }
            return try await freezeStandby(client, run)
        } catch {
            throw error.ofDump(run.dump)
        }
    }

    /// Freezes while replay is paused. It stays paused until the dump has ended: once it goes on, what is replayed may cancel the dump.
    /// With `hot_standby_feedback` off, the removal of any row that a snapshot sees does; with it on, an exclusive lock on any table still does,
    /// and so does what the primary removed before it heard of the snapshots (up to wal_receiver_status_interval later).
    private func freezeStandby(_ client: Client, _ run: RunContext) async throws(DumpError) -> FrozenCluster {
        let pause = try await ReplayPause.begin(on: session, of: cluster, in: run)
        do {
            let first = try await cluster.freeze(open, isPaused: true)
            try await pause.confirm(on: session)
            StopPoint.passing("replay.frozen")
            return FrozenCluster(cluster: cluster, client: client, control: session, first: first, pause: pause)
        } catch {
            await pause.end()
            throw error
        }
    }

    func close() async {
        await open.close()
        await session.close()
    }

    private static func findings(of client: Result<Client, DumpError>) -> [Finding] {
        switch client {
        case .success(let client): client.findings
        case .failure(let error):
            [Finding(.failure, "client_unsuitable", object: "pg_dump", error.message, hint: error.hint)]
        }
    }
}

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

extension ServerFacts.Role {
    /// What the role lacks for a whole dump.
    var findings: [Finding] {
        var findings: [Finding] = []
        if !readsAllData {
            findings.append(
                Finding(
                    .warning, "role_reads_not_all", object: name,
                    "role '\(name)' is neither superuser nor member of pg_read_all_data: it may fail to read some table",
                    hint: "GRANT pg_read_all_data TO it (PostgreSQL 14 and newer), or connect as a superuser."))
        }
        return findings
    }

    var omissions: [Finding] {
        guard !readsPasswords else { return [] }
        return [
            Finding(
                .warning, .rolePasswordsUnreadable, object: name,
                "role '\(name)' may not read pg_authid: the dumped roles have no passwords",
                hint: "GRANT pg_read_all_data TO it, connect as a superuser, or set the passwords anew after a restore."
            )
        ]
    }
}
