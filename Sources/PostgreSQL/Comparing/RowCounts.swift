import DumpCore

/// How many rows the tables of a database have, counted as pg_dump writes them: those of heirs and partitions are not the parent's.
struct RowCounts: Sendable {
    private var byTable: [QualifiedName: Int64] = [:]

    /// Nil for a table that is not there.
    subscript(_ table: TableContents) -> Int64? { byTable[QualifiedName(table.schema, table.name)] }

    /// Some tables at a time, as each statement locks all of its tables.
    private static let batch = 100
    /// A large table takes its time: the caller's cancelling ends it.
    private static let patience = Duration.seconds(7 * 86400)

    /// - Parameter sessions: in the same database and in no transaction, which count beside each other.
    static func ask(_ sessions: [Session], for tables: [TableContents]) async throws(DumpError) -> RowCounts {
        guard let first = sessions.first else { return RowCounts() }
        // Names in a manifest are those that pg_dump wrote, in the encoding of the database.
        let wanted = Set(tables.map { QualifiedName($0.schema, $0.name) })
        var names: [Int64: QualifiedName] = [:]
        for row in try await first.query(present, [], limit: patience) {
            let name = QualifiedName(try row.shown("schema"), try row.shown("name"))
            if wanted.contains(name) { names[try row.integer("oid")] = name }
        }
        let batches = Batches(names.keys.sorted(), of: batch)
        let counted = await withTaskGroup(of: Result<[Int64: Int64], DumpError>.self) { group in
            for session in sessions {
                group.addTask { await .awaiting { () throws(DumpError) in try await count(batches, in: session) } }
            }
            var counted: [Result<[Int64: Int64], DumpError>] = []
            for await outcome in group { counted.append(outcome) }
            return counted
        }
        var counts = RowCounts()
        for outcome in counted {
            for (oid, rows) in try outcome.get() { if let name = names[oid] { counts.byTable[name] = rows } }
        }
        return counts
    }

    private static func count(_ batches: Batches, in session: Session) async throws(DumpError) -> [Int64: Int64] {
        var counts: [Int64: Int64] = [:]
        while let oids = await batches.next() {
            let text = try await answer(to: oids, in: session)
            for pair in text.split(atASCII: ",") {
                let numbers = pair.split(atASCII: " ").compactMap { Int64($0) }
                if numbers.count == 2 { counts[numbers[0]] = numbers[1] }
            }
        }
        return counts
    }

    private static let present = """
        select c.oid::bigint as oid, encode(convert_to(n.nspname::text, getdatabaseencoding()), 'hex') as schema,
            encode(convert_to(c.relname::text, getdatabaseencoding()), 'hex') as name
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where c.relkind = 'r' and c.relpersistence <> 't'
        """

    /// An OID and a number of rows for each table, such as `16384 12,16390 0`.
    private static func answer(to oids: [Int64], in session: Session) async throws(DumpError) -> String {
        let list = oids.map(String.init).joined(separator: ",")
        do throws(DumpError) {
            _ = try await session.query(counting(list), limit: patience)
            return try await session.row("select current_setting('muster.rows') as rows").text("rows")
        } catch  where error.context["sqlstate"] == "42704" {
            // A database without PL/pgSQL. A server without XML has no way to do it then.
            return try await session.query(countingByXML, ["{\(list)}"], limit: patience).first?.text("rows") ?? ""
        }
    }

    /// The server itself writes the names into the statements: in a database of any encoding they are whatever bytes they are.
    private static func counting(_ oids: String) -> String {
        """
        do language plpgsql $muster$
        declare statement record; n bigint; answer text := '';
        begin
            for statement in \(statements.replacing("$1", with: "'{\(oids)}'")) loop
                execute statement.text into n;
                answer := answer || statement.oid || ' ' || n || ',';
            end loop;
            perform set_config('muster.rows', answer, false);
        end $muster$
        """
    }

    private static let countingByXML = """
        select string_agg(oid || ' ' || substring(query_to_xml(text, true, true, '')::text from '<n>([0-9]+)</n>'), ',') as rows
        from (\(statements)) statement
        """

    /// pg_dump takes those rows of an extension's table that the extension calls configuration (`pg_extension_config_dump`), heirs included.
    private static let statements = """
        select c.oid, format('select count(*) as n from %s %s',
            case when coalesce(condition, '') = '' then 'only ' else '' end || c.oid::regclass, condition) as text
        from unnest($1::oid[]) wanted (oid) join pg_class c on c.oid = wanted.oid
        left join lateral (
            select extcondition[place] as condition from pg_extension, generate_subscripts(extconfig, 1) place
            where extconfig[place] = c.oid
        ) configuration on true
        """
}

/// Hands out parts of a list to sessions that work beside each other.
private actor Batches {
    private var rest: [[Int64]]

    init(_ all: [Int64], of size: Int) {
        rest = stride(from: 0, to: all.count, by: size).map { Array(all[$0..<min($0 + size, all.count)]) }.reversed()
    }

    func next() -> [Int64]? { rest.popLast() }
}

extension Row {
    /// A name of which the server gave the bytes, in hexadecimal digits, as pg_dump's own contents are shown.
    fileprivate func shown(_ column: String) throws(DumpError) -> String {
        let digits = try text(column).utf8.map { UInt8(Character(Unicode.Scalar($0)).hexDigitValue ?? 0) }
        let bytes = stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
        return bytes.withUnsafeBytes { String(showing: $0) }
    }
}

/// The name of something in a schema, compared by bytes: two names that Unicode calls equivalent are two things.
struct QualifiedName: Sendable, Hashable {
    private let bytes: [UInt8]

    init(_ schema: String, _ name: String) { bytes = Array(schema.utf8) + [0] + Array(name.utf8) }
}
