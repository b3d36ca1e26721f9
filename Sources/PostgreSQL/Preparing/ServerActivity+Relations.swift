import DumpCore

extension ServerActivity {
    /// What a dump locks or reads: neither indexes, nor what belongs to a table anyway. A table that was made by a transaction
    /// which still runs is not seen here, nor by a dump.
    private static let namesOfRelations = """
        select c.oid::text as number, quote_ident(n.nspname) || '.' || quote_ident(c.relname) as name
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where c.oid = any (('{' || $1 || '}')::oid[]) and c.relkind not in ('i', 'I', 't', 'c')
        """

    /// The locks that these rows tell of, without those on what a dump does not touch.
    static func named(
        _ rows: [Row], in database: ServerFacts.Database,
        _ connect: (ServerFacts.Database) async throws(DumpError) -> Session
    ) async throws(DumpError) -> [ExclusiveLocks] {
        var numbers: [[String]] = []
        for row in rows { numbers.append(try row.text("relations").split(atASCII: ",").map(String.init)) }
        let names = await names(of: Set(numbers.joined()), in: database, connect)
        var locks: [ExclusiveLocks] = []
        for (row, numbers) in zip(rows, numbers) {
            let relations = numbers.compactMap { names[$0] }
            if !relations.isEmpty {
                locks.append(try ExclusiveLocks(row, database: database.name, relations: relations))
            }
        }
        return locks
    }

    /// - Parameter numbers: oids of relations.
    private static func names(
        of numbers: Set<String>, in database: ServerFacts.Database,
        _ connect: (ServerFacts.Database) async throws(DumpError) -> Session
    ) async -> [String: String] {
        do throws(DumpError) {
            let rows = try await connect(database).closing { session throws(DumpError) in
                try await session.query(namesOfRelations, [numbers.joined(separator: ",")], limit: .seconds(10))
            }
            var names: [String: String] = [:]
            for row in rows { names[try row.text("number")] = try row.text("name") }
            return names
        } catch {
            // Such as a lock on the catalog itself. That there is a lock matters more than on what.
            return Dictionary(numbers.map { ($0, "relation \($0)") }) { first, _ in first }
        }
    }
}

extension ServerActivity.ExclusiveLocks {
    fileprivate init(_ row: Row, database: String, relations: [String]) throws(DumpError) {
        let blockers = (try row.optionalText("blockers") ?? "").split(atASCII: ",")
        self.init(
            holder: try ServerActivity.Holder(row), isHeld: try row.flag("is_held"), database: database,
            relations: relations, duration: try row.optionalInteger("seconds").map { .seconds($0) },
            // A prepared transaction has no pid.
            blockers: blockers.map { $0 == "0" ? "a prepared transaction" : "session \($0)" })
    }
}
