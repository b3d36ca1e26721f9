import DumpCore
import Linux
import Processes
import SystemPackage

/// Restores a dump to a server of its own, finds out what the restore is worth, and throws it away.
struct Drill: Sendable {
    let request: DrillRequest
    let dump: Manifest.DumpRecord
    let server: DrillServer

    /// Restores, by the same way as to a live server, compares, asks, and checks.
    ///
    /// - Parameter restore: restores what it is asked for, and compares each database with the manifest.
    func perform(
        restoring restore: @escaping @Sendable (RestoreRequest) async throws(DumpError) -> RestoreOutcome
    ) async throws(DumpError) -> RestoreOutcome {
        try await server.whileRunning { () throws(DumpError) in
            var outcome = try await restore(try restoreRequest)
            try await compareCluster(&outcome)
            try await askQuestions(&outcome)
            if request.isThorough { try await checkStructure(&outcome) }
            outcome.findings = server.findings + outcome.findings + kept
            outcome.identity["isolated"] = "\(server.isIsolated)"
            return outcome
        }
    }

    /// To the drill's server, under the names that the databases had.
    var restoreRequest: RestoreRequest {
        get throws(DumpError) {
            var restore = RestoreRequest()
            restore.placement = .replacing
            restore.items = request.items
            restore.target = try server.options.conninfo
            // Not the usual user of servers, who does not get through to this one's socket.
            restore.user = UserAccount.current?.name
            restore.jobs = request.jobs
            restore.leavesOutLabels = true
            return restore
        }
    }

    private func compareCluster(_ outcome: inout RestoreOutcome) async throws(DumpError) {
        var comparison = ClusterComparison(of: dump)
        comparison.comparesTablespaces = false
        let major = server.settings.major
        let compared = try await server.session(in: "template1") { session throws(DumpError) in
            try await comparison.compare(in: session, major: major)
        }
        outcome.items.append(
            RestoredItem(
                item: Cluster.globals.name, name: Cluster.globals.name, durationSeconds: 0, comparison: compared))
    }

    /// How to look at a copy that is kept.
    private var kept: [Finding] {
        guard request.keepsCopy else { return [] }
        return [
            Finding(
                .note, "drill_copy_kept", object: server.server.directory.string,
                "the drill's copy is kept in \(server.server.directory), with all data of the dump",
                hint: "\(server.startingAgain) Remove the directory afterwards.")
        ]
    }
}

extension DrillServer {
    /// How to start one that was kept, with as little access as it had.
    fileprivate var startingAgain: String {
        let connect = "psql -h \(server.directory) -U \(superuser) DATABASE"
        let postgres = server.programs.path(of: "postgres")
        guard let isolation = server.isolation else {
            return "Start it as '\(server.user ?? "")' with: \(postgres) -D \(server.data); connect with: \(connect)."
        }
        let own = server.ownDirectory
        return
            "As root, start it with: mkdir -p \(own); unshare --mount --net sh -c 'mount --bind \(server.directory) \(own) && "
            + "exec setpriv --reuid \(isolation.user) --regid \(isolation.user) --clear-groups \(postgres) -D \(own)/data'; "
            + "connect with: \(connect)."
    }
}
