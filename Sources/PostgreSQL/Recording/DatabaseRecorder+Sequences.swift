import DumpCore

extension DatabaseRecorder {
    /// The last value of each sequence.
    ///
    /// To read one locks it until the transaction ends, and the server has room for some thousand locks: they are read, and let go
    /// again, some at a time.
    func sequences(_ missing: inout [String]) async throws(DumpError) -> [SequenceRecord] {
        let start = ContinuousClock.now
        var found: [SequenceRecord] = []
        var last: Int64 = 0
        while true {
            let after = last
            let batch = try await part("sequences", &missing) { () async throws(DumpError) in
                try await sequences(after: after)
            }
            guard let batch else { return [] }
            found += batch.map(\.record)
            guard batch.count == Self.batch, let end = batch.last else { return found.sorted(by: inOrder) }
            guard ContinuousClock.now - start < .seconds(2), found.count < Self.most else {
                missing.append("sequences")
                return []
            }
            last = end.oid
        }
    }

    private func inOrder(_ one: SequenceRecord, _ other: SequenceRecord) -> Bool {
        let names = [one, other].map { Array($0.schema.utf8) + [0] + Array($0.name.utf8) }
        return names[0].lexicographicallyPrecedes(names[1])
    }

    /// The next ones in the order of their OIDs.
    private func sequences(after oid: Int64) async throws(DumpError) -> [(oid: Int64, record: SequenceRecord)] {
        let rows = try await session.query(
            """
            select oid, schema, name,
                   case when is_absent or not has_sequence_privilege(oid::oid, 'usage, select') then null
                       else pg_sequence_last_value(oid::oid) end as last_value
            from (
                select c.oid::bigint as oid, n.nspname as schema, c.relname as name, c.is_absent
                \(Relations.ofUsers)
                where c.relkind = 'S' and e.oid is null and c.oid::bigint > $1::bigint
                    and not \(Relations.isInSystemSchema)
                order by c.oid::bigint limit \(Self.batch)
            ) batch
            order by oid
            """, ["\(oid)"])
        return try rows.map { row throws(DumpError) in
            (
                try row.integer("oid"),
                SequenceRecord(
                    schema: try row.text("schema"), name: try row.text("name"),
                    lastValue: try row.optionalInteger("last_value"))
            )
        }
    }

    private static var batch: Int { 500 }
    private static var most: Int { 20_000 }
}
