import DumpCore
import Linux

/// A pg_dump whose tables are shown to be what its snapshot shows, once it has locked them or, at the latest, once it has ended.
struct WatchedDump: Sendable {
    var dump: DatabaseDump
    var source: FrozenDatabase
    var facts: SnapshotFacts
    /// What looks at the tables from the start. Without it, one is opened once the dump has lasted as long as it may unwatched.
    var tables: TableWatch?
    /// Nil when there is no connection left for it.
    var open: @Sendable () async -> TableWatch?

    /// What pg_dump and the server remarked, and what was found once it had ended.
    struct Ended: Sendable {
        var remarks: [Finding]
        var brokenKeys: [BrokenForeignKey]
    }

    /// Throws an error of code `tablesChanged` when the database must be frozen again.
    func run(in run: RunContext) async throws(DumpError) -> Ended {
        let followed = dump.followed(in: run)
        let hasEnded = StopSign()
        let (isLong, told) = AsyncStream.makeStream(of: Bool.self)
        let program = Task { [self] in
            let outcome = await Result.awaiting { () async throws(DumpError) in
                try await dump.runProgram(followed, of: source)
            }
            hasEnded.raise()
            told.yield(false)
            return outcome
        }
        let clock = Task {
            try await Task.sleep(for: tables == nil ? dump.cluster.settings.unwatched : .zero)
            told.yield(true)
        }
        defer { clock.cancel() }
        let sighting = await withTaskCancellationHandler {
            var longs = isLong.makeAsyncIterator()
            guard await longs.next() == true, let tables = await openTables() else {
                return TableWatch.Sighting.tooLate
            }
            return await self.sighting(of: followed, by: tables, unless: hasEnded, in: run)
        } onCancel: {
            program.cancel()
        }
        if case .changed(let names) = sighting {
            program.cancel()
            _ = await program.value
            throw .changedTables(names, of: dump.database)
        }
        return try await settled(program.cancellableValue, isProven: sighting == .unchanged)
    }

    private func openTables() async -> TableWatch? {
        if let tables { return tables }
        return await open()
    }

    private func sighting(
        of followed: FollowedUnit, by tables: TableWatch, unless hasEnded: StopSign, in run: RunContext
    ) async -> TableWatch.Sighting {
        do {
            let sighting = try await tables.compare(
                with: source, CatalogMark.ask(source.open.session, major: dump.cluster.facts.major),
                onceLocked: Set(facts.catalog.tables.filter(\.isLocked).map { Int64($0.oid) }),
                by: followed.applicationName
            ) { hasEnded.isRaised }
            // Its own locks are of no more use, and hold up others.
            await tables.close()
            return sighting
        } catch {
            await tables.close()
            run.log.debug(
                "lost sight of the tables", metadata: ["database": "\(dump.database)", "error": "\(error.message)"])
            return .tooLate
        }
    }

    /// - Parameter isProven: the tables are known to be what the snapshot shows.
    private func settled(
        _ outcome: Result<[Finding], DumpError>, isProven: Bool
    ) async throws(DumpError) -> Ended {
        switch outcome {
        case .success(let remarks):
            let ended = Ended(remarks: remarks, brokenKeys: await ForeignKeys.broken(in: source.open.session))
            if isProven { return ended }
            if try await source.isNewest(by: dump.control, major: dump.cluster.facts.major) { return ended }
            let changes = try await changes()
            guard changes.isEmpty else { throw .changedTables(changes, of: dump.database) }
            return ended
        case .failure(let error):
            throw isProven ? await recognized(error) : await explained(error)
        }
    }

    /// When the tables are not what they were, that is why pg_dump did not find its way, in whatever language it says so.
    private func explained(_ error: DumpError) async -> DumpError {
        // A standby that stopped it goes on, and changes tables meanwhile: the whole dump is tried again.
        guard error.code == .programFailed, error.hint != FailureCause.recoveryHint else {
            return await recognized(error)
        }
        do {
            let changes = try await changes()
            return changes.isEmpty ? await recognized(error) : .changedTables(changes, of: dump.database)
        } catch let lost {
            return error.blamed(on: lost)
        }
    }

    /// Compares once the snapshot is no longer needed. The session that held it sees the tables as they are from then on.
    private func changes() async throws(DumpError) -> [String] {
        let session = source.open.session
        let frozen = try await RelationStates.all(session)
        _ = try await session.query("rollback")
        return RelationStates.changes(from: frozen, to: try await RelationStates.all(session))
    }

    /// For a program whose messages are in an unknown language. What ended it may have ended our own session too, and that one knows an
    /// SQLSTATE. Also for a program that finds no server, because it does not know that there was one a moment ago.
    private func recognized(_ error: DumpError) async -> DumpError {
        guard error.code == .sourceUnavailable || error.code == .programFailed && error.hint == nil else {
            return error
        }
        do {
            _ = try await source.open.session.query("select 1", limit: .seconds(5))
            return error
        } catch let lost {
            return error.blamed(on: lost)
        }
    }
}

extension DumpError {
    /// The same error, as transient as what became of our own session, unless its own words say what it is.
    fileprivate func blamed(on lost: DumpError) -> DumpError {
        var error = self
        if hint == nil || code == .sourceUnavailable { error.isTransient = isTransient || lost.isTransient }
        return error
    }
}
