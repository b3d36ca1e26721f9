import DumpCore

/// How far the sequences of a database had gone before it was frozen.
///
/// No snapshot holds a sequence: the dump has what it was when pg_dump came to it. That is fine as long as it went on. One that
/// was restarted meanwhile (`ALTER SEQUENCE … RESTART`, `TRUNCATE … RESTART IDENTITY`, `setval`) stands before numbers which the
/// dumped rows have.
struct SequenceValues: Sendable {
    struct Sequence: Sendable {
        var schema: String
        var name: String
        /// The last that was given. Nil if none was, our role may not read it, or another transaction alters it.
        var value: Int64?
        var increment: Int64
        var cycles: Bool
        /// An extension creates it.
        var isMember: Bool
    }

    private(set) var sequences: [Sequence] = []
    /// False if the server refused to tell all of them, or there are too many to wait for.
    private(set) var areAll = true

    /// - Parameter session: one in no transaction. Reading a sequence locks it until the transaction ends, whatever savepoint it is read
    ///   under. Within the transaction of a freeze, no session could restart or drop one before the dump was done.
    static func ask(_ session: Session, within limits: Limits = .duringDump) async throws(DumpError) -> SequenceValues {
        var values = SequenceValues()
        _ = try await session.query("select set_config('lock_timeout', '200ms', false)")
        try await values.askAll(session, limits)
        _ = try await session.query("select set_config('lock_timeout', '0', false)")
        return values
    }

    /// Some at a time, as the server has room for some thousand locks.
    private mutating func askAll(_ session: Session, _ limits: Limits) async throws(DumpError) {
        let deadline = ContinuousClock.now + limits.time
        var last: Int64 = 0
        repeat {
            do throws(DumpError) {
                let rows = try await session.query(Self.question, ["\(last)"])
                for row in rows { sequences.append(try Sequence(row)) }
                guard rows.count == Self.batch, let end = rows.last else { return }
                last = try end.integer("oid")
            } catch {
                // Without an SQLSTATE the server did not refuse: the connection is lost, or we were cancelled.
                guard error.context["sqlstate"] != nil else { throw error }
                break
            }
        } while ContinuousClock.now < deadline && sequences.count < limits.count
        areAll = false
    }

    private static let batch = 500

    /// After how long, and how many, the rest is not asked for.
    struct Limits: Sendable {
        var time: Duration
        var count: Int

        static let duringDump = Limits(time: .seconds(10), count: 20_000)
        /// The limits for a database that no application uses.
        static let afterRestore = Limits(time: .seconds(600), count: .max)
    }

    /// The next ones in the order of their OIDs. One that is locked against reading is not waited for.
    private static let question = """
        select b.oid::bigint as oid, schema, name, is_member, s.seqincrement as increment, s.seqcycle as cycles,
               case when is_readable and not exists (
                   select from pg_locks l where l.relation = b.oid and l.granted and l.mode = any (
                           '{ShareLock,ShareRowExclusiveLock,ExclusiveLock,AccessExclusiveLock}')
                       and l.database = (select oid from pg_database where datname = current_database())
               ) then pg_sequence_last_value(b.oid) end as value
        from (
            select c.oid, n.nspname as schema, c.relname as name, e.oid is not null as is_member,
                   not c.is_absent and has_sequence_privilege(c.oid, 'usage, select') as is_readable
            \(Relations.ofUsers)
            where c.relkind = 'S' and c.oid::bigint > $1::bigint
                and not \(Relations.isUnmarkedMember) and not \(Relations.isInSystemSchema)
            order by c.oid::bigint limit \(batch)
        ) b
        join pg_sequence s on s.seqrelid = b.oid
        order by b.oid::bigint
        """

    /// What a restore can be compared with: those that no extension creates, in the order of their names. Nil if they are not all here.
    var records: [SequenceRecord]? {
        guard areAll else { return nil }
        return sequences.filter { !$0.isMember }.map {
            SequenceRecord(schema: $0.schema, name: $0.name, lastValue: $0.value)
        }.sorted { one, other in
            let names = [one, other].map { Array($0.schema.utf8) + [0] + Array($0.name.utf8) }
            return names[0].lexicographicallyPrecedes(names[1])
        }
    }

    /// Remarks on those that the dump has before where they were.
    func findings(against dumped: [DumpedSequence], in database: String) -> [Finding] {
        var values: [[String]: Int64] = [:]
        for sequence in dumped { values[[sequence.schema, sequence.name]] = sequence.value }
        return sequences.compactMap { before in
            guard let given = before.value, let value = values[[before.schema, before.name]],
                before.wasSetBack(to: value)
            else { return nil }
            return Finding(
                .warning, "sequence_set_back", object: "\(database).\(before.schema).\(before.name)",
                "sequence \(before.schema).\(before.name) of database '\(database)' was set back from \(given) to \(value) while it "
                    + "was dumped: dumped rows may have the numbers that it gives next",
                hint: "Run it again. Or, after a restore of this set, set it to the greatest number in use (setval).")
        }.abridged(in: database)
    }
}

extension SequenceValues.Sequence {
    fileprivate init(_ row: Row) throws(DumpError) {
        self.init(
            schema: try row.text("schema"), name: try row.text("name"), value: try row.optionalInteger("value"),
            increment: try row.integer("increment"), cycles: try row.flag("cycles"), isMember: try row.flag("is_member")
        )
    }

    /// One that cycles goes back by itself.
    fileprivate func wasSetBack(to dumped: Int64) -> Bool {
        guard let value, !cycles else { return false }
        return increment > 0 ? dumped < value : dumped > value
    }
}

/// A sequence as the dump restores it, from a line such as `SELECT pg_catalog.setval('public.s', 3, true);`.
struct DumpedSequence: Sendable, Equatable {
    var schema: String
    var name: String
    var value: Int64

    init?(schema: String, name: String, statement: String) {
        guard let match = statement.firstMatch(of: /', (-?[0-9]+), (?:true|false)\);\s*$/), let value = Int64(match.1)
        else { return nil }
        (self.schema, self.name, self.value) = (schema, name, value)
    }
}
