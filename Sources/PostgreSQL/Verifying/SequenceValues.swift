import DumpCore

/// How far the sequences of a database had gone before it was frozen.
///
/// No snapshot holds a sequence: the dump has what it was when pg_dump came to it. That is no fault as long as it went on. One that
/// was restarted meanwhile (`ALTER SEQUENCE … RESTART`, `TRUNCATE … RESTART IDENTITY`, `setval`) stands before numbers which the
/// dumped rows have.
struct SequenceValues: Sendable {
    struct Sequence: Sendable {
        var schema: String
        var name: String
        /// The last that was given.
        var value: Int64
        var increment: Int64
    }

    private(set) var sequences: [Sequence] = []

    /// Those that have given a number, and may be read without waiting for a lock. One that cycles goes back by itself.
    static func ask(_ session: Session) async throws(DumpError) -> SequenceValues {
        let rows = try await session.query(
            """
            with readable as (
                select c.oid, n.nspname as schema, c.relname as name
                \(Relations.ofUsers)
                where c.relkind = 'S' and not c.is_absent and not \(Relations.isUnmarkedMember) and not \(Relations.isInSystemSchema)
                    and case when c.relkind = 'S' then has_sequence_privilege(c.oid, 'select') end and not exists (
                        select from pg_locks l where l.relation = c.oid and l.mode = 'AccessExclusiveLock'
                            and l.database = (select oid from pg_database where datname = current_database()))
                offset 0
            ), given as (
                select r.schema, r.name, s.seqincrement as increment, pg_sequence_last_value(r.oid) as value
                from readable r join pg_sequence s on s.seqrelid = r.oid where not s.seqcycle
                offset 0
            )
            select * from given where value is not null
            """)
        var values = SequenceValues()
        for row in rows {
            values.sequences.append(
                Sequence(
                    schema: try row.text("schema"), name: try row.text("name"), value: try row.integer("value"),
                    increment: try row.integer("increment")))
        }
        return values
    }

    /// Remarks on those that the dump has before where they were.
    func findings(against dumped: [DumpedSequence], in database: String) -> [Finding] {
        var values: [[String]: Int64] = [:]
        for sequence in dumped { values[[sequence.schema, sequence.name]] = sequence.value }
        return sequences.compactMap { before in
            guard let value = values[[before.schema, before.name]], before.isBehind(value) else { return nil }
            return Finding(
                .warning, "sequence_set_back", object: "\(database).\(before.schema).\(before.name)",
                "sequence \(before.schema).\(before.name) of database '\(database)' was set back from \(before.value) to \(value) while it "
                    + "was dumped: dumped rows may have the numbers that it gives next",
                hint: "Run it again. Or, after a restore of this set, set it to the greatest number in use (setval).")
        }.abridged(in: database)
    }
}

extension SequenceValues.Sequence {
    fileprivate func isBehind(_ dumped: Int64) -> Bool { increment > 0 ? dumped < value : dumped > value }
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
