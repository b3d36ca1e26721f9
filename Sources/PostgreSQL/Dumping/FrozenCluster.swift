import DumpCore
import SystemPackage

/// A cluster that is about to be dumped.
struct FrozenCluster: FrozenSource {
    let cluster: Cluster
    let client: Client
    /// A session that is in no transaction.
    let control: Session
    /// Nil with `layout: cluster`, and when no database is left.
    let first: FrozenGroup?
    /// Databases that were dropped before the freeze.
    var gone: [Finding] = []
    /// The pause of replay on a standby, until the dump has ended.
    var pause: ReplayPause?

    func dump(into directory: FilePath, in run: RunContext) async throws(DumpError) -> DumpSummary {
        let ofCluster = try await cluster.survey.askCluster(control)
        try cluster.settings.omissionPolicy.requireAllowed(
            cluster.survey.all(databases: [], cluster: ofCluster))
        let record = try await ClusterRecorder(session: control).ask()
        var dump = try await dumped(in: directory, knowing: ofCluster, run)
        dump.moment.evidence["replay_paused_seconds"] = pause?.duration?.seconds
        return DumpSummary(
            identity: cluster.identity(of: client), moment: dump.moment,
            findings: dump.parts.flatMap(\.findings)
                + dump.parts.reduce(into: DamagedFiles()) { $0.add($1.damaged) }.findings,
            omissions: cluster.survey.all(
                databases: gone + dump.parts.flatMap(\.omissions), cluster: ofCluster),
            databases: dump.parts.flatMap(\.databases), cluster: record,
            digests: dump.parts.reduce(into: [:]) { $0.merge($1.digests) { first, _ in first } },
            renamed: dump.parts.reduce(into: [:]) { $0.merge($1.renamed) { first, _ in first } })
    }

    func explained(_ error: DumpError, in directory: FilePath) -> DumpError {
        guard error.code == .deadline else { return error }
        var error = error
        error.hint = .raisingDeadline(orFinding: "a lock, a slow disk, a slow network")
        return error
    }

    func release() async {
        await first?.close()
        await pause?.end()
    }

    private func dumped(
        in directory: FilePath, knowing omissions: [Finding], _ run: RunContext
    ) async throws(DumpError) -> DumpedCluster {
        var dump = try await ServerWatch.during(cluster, control: control, in: run) { watch throws(DumpError) in
            switch cluster.settings.layout {
            case .databases: try await dumpDatabases(in: directory, run, under: watch)
            case .cluster: try await dumpScript(in: directory, run, under: watch)
            }
        }
        if cluster.settings.copiesSettings {
            dump.parts.append(try await copySettings(to: directory, knowing: omissions, run))
        }
        return dump
    }

    private func copySettings(
        to directory: FilePath, knowing omissions: [Finding], _ run: RunContext
    ) async throws(DumpError) -> DumpedPart {
        let copy = SettingsDump(files: ServerSettingsFiles(server: cluster.facts), directory: directory)
        return try await run.perform(SettingsDump.unit) { () throws(DumpError) in
            try await copy.take(from: control, knowing: omissions)
        }
    }
}

/// All parts of a dump.
struct DumpedCluster: Sendable {
    var parts: [DumpedPart]
    var moment: Moment
}

/// One unit of work as it came out.
struct DumpedPart: Sendable {
    /// When its program began and had ended.
    var from: Timestamp
    var to: Timestamp
    var findings: [Finding] = []
    /// What is not in it although it is in its database.
    var omissions: [Finding] = []
    var databases: [DatabaseContents] = []
    /// By path relative to the dump's directory; a database may have many files, which the run knows already.
    var digests: [FilePath: FileDigest] = [:]
    /// Files of tables that have another number than in the last dump, see `DumpSummary.renamed`.
    var renamed: [FilePath: FilePath] = [:]
    /// What was found to be damaged in the last set.
    var damaged = DamagedFiles()
    /// How its database was frozen again, each time that was necessary.
    var freezes: [Freeze] = []
}

extension DumpedPart {
    /// No unit at all: what was left out.
    init(leavingOut omissions: [Finding]) {
        self.init(from: .now, to: .now, omissions: omissions)
    }
}
