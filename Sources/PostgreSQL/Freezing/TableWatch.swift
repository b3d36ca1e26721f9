import DumpCore

/// A session in a database whose dump begins, which sees the database as it is, beside the one that holds the snapshot.
///
/// It finds out when pg_dump has locked every table, and whether the tables are then still what the snapshot shows. From there
/// on they stay so, as nothing can truncate, rewrite, rename or drop them until pg_dump has ended.
struct TableWatch: Sendable {
    private let session: Session
    /// Whether the session itself has locked tables.
    private let holdsLocks: Bool

    /// What was seen of a dump that goes on.
    enum Sighting: Sendable, Equatable {
        case unchanged
        case changed([String])
        /// pg_dump ended before it was seen to have locked every table.
        case tooLate
    }

    /// - Parameter tables: quoted names of tables to lock at once, so that they cannot change between the next snapshot and
    ///   pg_dump's own locks. What cannot be locked is left: a change is found all the same.
    static func open(
        in database: ServerFacts.Database, by opener: SessionOpener, locking tables: [String]
    ) async throws(DumpError) -> TableWatch {
        var opener = opener
        opener.options = opener.options.forTables
        let session = try await opener.open(database).session
        do {
            return TableWatch(session: session, holdsLocks: try await lock(tables, in: session))
        } catch {
            await session.close()
            throw error
        }
    }

    func close() async { await session.close() }

    private static func lock(_ tables: [String], in session: Session) async throws(DumpError) -> Bool {
        guard !tables.isEmpty else { return false }
        // Those that are gone meanwhile, and what is not a table, are passed over.
        let names = try await session.row(
            """
            select string_agg(format('only %I.%I', n.nspname, c.relname), ', ' order by c.oid) as names
            from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where c.relkind in ('r', 'p')
              and format('%I.%I', n.nspname, c.relname) = any (string_to_array($1, chr(10)))
            """, [tables.joined(separator: "\n")]
        ).optionalText("names")
        guard let names else { return false }
        do {
            _ = try await session.query("begin")
            _ = try await session.query("set local lock_timeout to '60s'")
            _ = try await session.query("lock table \(names) in access share mode", limit: .seconds(120))
            return true
        } catch {
            // Dropped just now, or no privilege, or no room in the server's table of locks.
            _ = try await session.query("rollback")
            return false
        }
    }

    /// Waits until pg_dump has locked all `tables`, and compares.
    ///
    /// - Parameters:
    ///   - name: pg_dump's in `pg_stat_activity`.
    ///   - tables: oids of those that it locks.
    ///   - source: the session that holds the snapshot, and what the catalogs were like in it.
    ///   - hasEnded: whether pg_dump has.
    func compare(
        with source: FrozenDatabase, _ frozen: CatalogMark, onceLocked tables: Set<Int64>, by name: String,
        hasEnded: @Sendable () -> Bool
    ) async throws(DumpError) -> Sighting {
        var pause = Duration.milliseconds(10)
        var holdsLocks = holdsLocks
        while !hasEnded() {
            let locks = try await locks(of: name)
            if locks.count >= tables.count, tables.isSubset(of: try await locked(by: name)) {
                return try await compare(with: source, frozen, hasEnded: hasEnded)
            }
            if locks.areAwaited, holdsLocks {
                // A statement that wants the table for itself waits for us, and pg_dump behind it. Let it go first.
                _ = try await session.query("rollback")
                holdsLocks = false
            }
            do { try await Task.sleep(for: pause) } catch { throw DumpError(.cancelled, "the dump was cancelled") }
            pause = min(pause * 2, .milliseconds(500))
        }
        return .tooLate
    }

    private func compare(
        with source: FrozenDatabase, _ frozen: CatalogMark, hasEnded: @Sendable () -> Bool
    ) async throws(DumpError) -> Sighting {
        guard try await !frozen.holds(in: session) else { return .unchanged }
        let changes = try await RelationStates.changes(
            from: RelationStates.all(source.open.session), to: RelationStates.all(session))
        // A new object is not a change. What changed once pg_dump had let go of it may be one that matters or not.
        guard !changes.isEmpty else { return .unchanged }
        return hasEnded() ? .tooLate : .changed(changes)
    }

    /// How many tables a program has locked, and whether it waits for one. Which they are would be long to tell, time and again.
    private func locks(of name: String) async throws(DumpError) -> (count: Int, areAwaited: Bool) {
        // Within a transaction, pg_stat_activity stays as it was when it was first read.
        _ = try await session.query("select pg_stat_clear_snapshot()")
        let row = try await session.row(
            """
            select count(distinct l.relation) filter (where l.granted) as count,
                   coalesce(bool_or(not l.granted), false) as are_awaited
            \(Self.locksOfProgram)
            """, [name])
        return (Int(try row.integer("count")), try row.flag("are_awaited"))
    }

    private func locked(by name: String) async throws(DumpError) -> Set<Int64> {
        let row = try await session.row(
            "select coalesce(string_agg(l.relation::text, ','), '') as held \(Self.locksOfProgram) and l.granted",
            [name])
        return Set(try row.text("held").split(atASCII: ",").compactMap { Int64($0) })
    }

    private static let locksOfProgram = """
        from pg_locks l join pg_stat_activity a on a.pid = l.pid
        where a.application_name = $1 and l.locktype = 'relation' and l.relation >= 16384
        """
}
