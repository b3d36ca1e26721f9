import DumpCore

/// What users put into a schema of the system's, besides tables: pg_dump leaves it out, and keeps what uses it.
struct SystemSchemaOmissions: Sendable {
    func ask(_ session: Session) async throws(DumpError) -> [Finding] {
        guard try await session.row(Self.isThere).flag("is_there") else { return [] }
        return try await session.findings(Self.strays) { row throws(DumpError) in
            let object = qualified(try row.text("identity"), session)
            return Finding(
                .warning, .objectInSystemSchema, object: object,
                "\(try row.text("type")) \(object) is not dumped: its schema belongs to the system",
                hint:
                    "Move it to a schema of your own. What uses it, such as a cast, fails in a restore before it is made again."
            )
        }
    }

    /// Nearly no database has any, and what they are takes the server long to plan. Tables, and what comes along with something, count here.
    private static let isThere = """
        select exists (
            select from (\(candidates.map { "select \($0.value) as schema from \($0.key) where oid >= 16384" }
                .joined(separator: " union all "))) found
            where \(isStray("schema"))
        ) as is_there
        """

    /// Catalogs, and their columns with the number of the schema.
    private static let candidates: KeyValuePairs = [
        "pg_proc": "pronamespace", "pg_type": "typnamespace", "pg_class": "relnamespace", "pg_operator": "oprnamespace",
        "pg_opclass": "opcnamespace", "pg_opfamily": "opfnamespace", "pg_conversion": "connamespace",
        "pg_ts_config": "cfgnamespace", "pg_ts_dict": "dictnamespace", "pg_ts_parser": "prsnamespace",
        "pg_ts_template": "tmplnamespace", "pg_statistic_ext": "stxnamespace",
    ]

    /// Each catalog has a subquery of its own for the schemas. Otherwise the server may compare each of many types with each, because it
    /// knows little of catalogs that it never analyzed.
    private static func isStray(_ schema: String) -> String {
        """
        \(schema) = any (array(
            select n.oid from pg_namespace n where \(Relations.isInSystemSchema) and n.nspname !~ '^pg_(temp|toast)'))
        """
    }

    /// Without what comes along with something else: arrays, rows of tables, ranges of ranges, sequences of columns.
    private static let strays = """
        select i.type, i.identity
        from (
            select 'pg_proc'::regclass as class, oid, pronamespace as schema from pg_proc
            union all select 'pg_type'::regclass, t.oid, t.typnamespace from pg_type t
                where \(isStray("t.typnamespace")) and t.typtype <> 'm' and not exists (select from pg_type e where e.typarray = t.oid)
                    and not exists (select from pg_class r where r.oid = t.typrelid and r.relkind <> 'c')
            union all select 'pg_class'::regclass, oid, relnamespace from pg_class c
                where \(isStray("relnamespace")) and relkind in ('p', 'v', 'm', 'S') and not exists (
                    select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype in ('a', 'i'))
            union all select 'pg_operator'::regclass, oid, oprnamespace from pg_operator
            union all select 'pg_opclass'::regclass, oid, opcnamespace from pg_opclass
            union all select 'pg_opfamily'::regclass, oid, opfnamespace from pg_opfamily
            union all select 'pg_conversion'::regclass, oid, connamespace from pg_conversion
            union all select 'pg_ts_config'::regclass, oid, cfgnamespace from pg_ts_config
            union all select 'pg_ts_dict'::regclass, oid, dictnamespace from pg_ts_dict
            union all select 'pg_ts_parser'::regclass, oid, prsnamespace from pg_ts_parser
            union all select 'pg_ts_template'::regclass, oid, tmplnamespace from pg_ts_template
            union all select 'pg_statistic_ext'::regclass, oid, stxnamespace from pg_statistic_ext
        ) o
        join pg_namespace n on n.oid = o.schema
        cross join lateral pg_identify_object(o.class, o.oid, 0) i
        where o.oid >= 16384 and \(Relations.isInSystemSchema) and n.nspname !~ '^pg_(temp|toast)'
            and not exists (
                select from pg_depend d
                where d.classid = o.class and d.objid = o.oid and d.refclassid = 'pg_extension'::regclass and d.deptype = 'e')
        order by i.type collate "C", i.identity collate "C"
        """
}
