import DumpCore
import Linux
import SystemPackage

/// What pg_dump wrote, and what its snapshot says that it should have.
struct WrittenDatabase: Sendable {
    var start: Timestamp
    var findings: [Finding]
    var brokenKeys: [BrokenForeignKey]
    var facts: SnapshotFacts
    /// How the database was frozen again, each time that was necessary.
    var freezes: [Freeze] = []
}

extension DatabaseDump {
    /// How often a database is frozen again before its dump fails.
    private static let mostFreezes = 4

    /// Has pg_dump write the database as of its snapshot, and as of a new one when tables have changed before they were locked.
    func write(in run: RunContext) async throws(DumpError) -> WrittenDatabase {
        var (source, freezes, changed) = (source, [Freeze](), Set<String>())
        var tables: TableWatch?
        while true {
            do {
                var written = try await write(from: source, watching: tables, in: run)
                written.freezes = freezes
                return written
            } catch {
                await source.open.session.close()
                guard error.code == .tablesChanged, freezes.count < Self.mostFreezes, mayStandAlone else {
                    throw error.after(freezes)
                }
                run.log.warning(
                    "tables were truncated, rewritten, renamed or dropped before pg_dump had locked them: freezing the database again",
                    metadata: [
                        "dump": "\(run.dump)", "database": "\(database)", "tables": "\(error.context["tables"] ?? "")",
                    ])
                changed.formUnion(error.relations)
                do { try FileTree(target).remove() } catch { throw DumpError(removing: target, error) }
            }
            // Their locks first, and then the snapshot: nothing can come between.
            tables = await openWatch(locking: changed.sorted(), beside: 1, in: run)
            do {
                let (again, freeze) = try await cluster.frozen(source.open.database)
                (source, freezes) = (again, freezes + [freeze])
            } catch {
                await tables?.close()
                throw error
            }
        }
    }

    /// Whether the database may be as of another instant than the others of its cluster.
    private var mayStandAlone: Bool {
        cluster.settings.consistency != .exact || cluster.groups.reduce(0) { $0 + $1.count } == 1
    }

    /// Nil when there is no connection left for it: the tables are then compared once pg_dump has ended.
    ///
    /// - Parameter snapshots: how many sessions that hold one are still to be opened.
    private func openWatch(locking changed: [String], beside snapshots: Int, in run: RunContext) async -> TableWatch? {
        do {
            guard try await leavesRoom(for: snapshots + (jobs > 1 ? jobs + 1 : 1)) else { return nil }
            return try await TableWatch.open(in: source.open.database, by: cluster.opener, locking: changed)
        } catch {
            run.log.debug(
                "cannot watch the tables while they are being locked",
                metadata: ["dump": "\(run.dump)", "database": "\(database)", "error": "\(error.message)"])
            return nil
        }
    }

    /// Whether so many connections can still be had when one more is taken.
    private func leavesRoom(for connections: Int) async throws(DumpError) -> Bool {
        let ofDatabase = try await control.row(
            """
            select case when d.datconnlimit >= 0 then d.datconnlimit - s.numbackends end as free
            from pg_database d join pg_stat_database s on s.datid = d.oid where d.oid::text = $1
            """, [String(source.open.database.oid)]
        ).optionalInteger("free")
        let free = try await ConnectionBudget.free(for: control)
        return min(free, ofDatabase.map { Int($0) } ?? free) > connections
    }

    /// The snapshot is held until pg_dump has ended, and no longer: it keeps the server from cleaning up.
    private func write(
        from source: FrozenDatabase, watching tables: TableWatch?, in run: RunContext
    ) async throws(DumpError) -> WrittenDatabase {
        let outcome = await Result.awaiting { () async throws(DumpError) in
            try handOver()
            let start = Timestamp.now
            let facts = try await SnapshotFacts.ask(source, cluster.survey)
            let dump = WatchedDump(dump: self, source: source, facts: facts, tables: tables) {
                await openWatch(locking: [], beside: 0, in: run)
            }
            let ended = try await dump.run(in: run)
            return WrittenDatabase(
                start: start, findings: ended.remarks + facts.recorded.findings(about: database),
                brokenKeys: ended.brokenKeys, facts: facts)
        }
        await tables?.close()
        if case .success = outcome { await source.open.session.close() }
        return try outcome.get()
    }

    /// Creates the directory that the programs write to and, if they run as another user, gives it to that user.
    private func handOver() throws(DumpError) {
        do {
            try FileSystem.createDirectory(target)
            if let user = cluster.access.user { try GivenDirectory(target).give(to: user) }
        } catch {
            throw DumpError(creating: target, error)
        }
    }
}

extension DumpError {
    /// Quoted names of the tables that an error of code `tablesChanged` is about.
    fileprivate var relations: [String] { (underlying as? ChangedTables)?.names ?? [] }

    /// The same, with what was tried.
    fileprivate func after(_ freezes: [Freeze]) -> DumpError {
        guard code == .tablesChanged, !freezes.isEmpty else { return self }
        var error = self
        error.hint =
            "The database was frozen again \(counted(Int64(freezes.count), "time")), and they changed each time. "
            + "Run it when nothing does that."
        return error
    }
}
