import DumpCore
import Linux

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
            (cluster.selection.findings + findings + Self.clientFindings(of: cluster)
            + cluster.facts.role.findings)
            .sorted { $0.severity > $1.severity }
    }

    func freeze(in run: RunContext) async throws(DumpError) -> any FrozenSource {
        let client = try cluster.client.get()
        guard !open.isEmpty, cluster.facts.inRecovery, cluster.settings.pausesReplay else {
            let first = open.isEmpty ? nil : try await cluster.freezePresent(open, control: session)
            return FrozenCluster(
                cluster: cluster, client: client, control: session, first: first?.group, gone: first?.gone ?? [])
        }
        return try await freezeStandby(client, run)
    }

    /// Freezes while replay is paused. It stays paused until the dump has ended. Once replay goes on, what it replays may cancel the dump.
    ///
    /// With `hot_standby_feedback` off, the removal of any row that a snapshot sees cancels it. With it on, an exclusive lock on any table
    /// still does. So does what the primary removed before it learned of the snapshots (up to wal_receiver_status_interval later).
    private func freezeStandby(_ client: Client, _ run: RunContext) async throws(DumpError) -> FrozenCluster {
        let pause = try await ReplayPause.begin(on: session, of: cluster, in: run)
        do {
            let (first, gone) = try await cluster.freezePresent(open, control: session, isPaused: true)
            try await pause.confirm(on: session)
            StopPoint.passing("replay.frozen")
            return FrozenCluster(
                cluster: cluster, client: client, control: session, first: first, gone: gone, pause: pause)
        } catch {
            await pause.end()
            throw error
        }
    }

    func close() async {
        await open.close()
        await session.close()
    }

    private static func clientFindings(of cluster: Cluster) -> [Finding] {
        switch cluster.client {
        case .success(let client):
            client.findings(for: cluster.facts, binDirectory: cluster.settings.binDirectory)
        case .failure(let error):
            [Finding(.failure, "client_unsuitable", object: "pg_dump", error.message, hint: error.hint)]
        }
    }
}
