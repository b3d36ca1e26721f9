import DumpCore

extension DatabaseRecorder {
    /// How many objects there are of each kind. Members of extensions are taken out of all at once: to do that for each catalog takes the
    /// server twice as long to plan.
    func objects() async throws(DumpError) -> [String: Int64] {
        let rows = try await session.query(
            """
            select kind, count(*) as count from (
                select 'pg_class'::regclass as class, c.oid, case c.relkind when 'r' then 'table' when 'p' then 'partitioned_table' when 'v' then 'view'
                    when 'm' then 'materialized_view' when 'S' then 'sequence' when 'f' then 'foreign_table'
                    when 'c' then 'composite_type' when 'i' then 'index' when 'I' then 'partitioned_index' end as kind
                from pg_class c join pg_namespace n on n.oid = c.relnamespace
                where c.oid >= 16384 and c.relpersistence <> 't' and not \(Relations.isInSystemSchema)
                union all \(Self.counted.map(\.question).joined(separator: "\nunion all "))
                union all select null, null, 'user_mapping' from pg_user_mappings
            ) found
            where kind is not null
                and not exists (select from pg_depend d where d.classid = found.class and d.objid = found.oid and d.deptype = 'e')
            group by kind
            """)
        var objects: [String: Int64] = [:]
        for row in rows { objects[try row.text("kind")] = try row.integer("count") }
        return objects
    }

    func invalidIndexes() async throws(DumpError) -> [String] {
        try await session.texts(
            """
            select format('%I.%I', n.nspname, c.relname) as name
            \(Relations.ofUsers) join pg_index i on i.indexrelid = c.oid
            where not i.indisvalid and c.relkind = 'i' and not \(Relations.isInSystemSchema)
            order by n.nspname collate "C", c.relname collate "C" limit \(Self.mostInvalidIndexes)
            """, "name")
    }

    /// So many are named.
    static let mostInvalidIndexes = 100

    func constraints() async throws(DumpError) -> ConstraintsRecord {
        // What follows from a partitioned table's constraint gets names of its own in a restore.
        let isOwn = major >= 11 ? "k.conparentid = 0" : "true"
        let rows = try await session.query(
            """
            select case contype when 'c' then 'check' when 'f' then 'foreign_key' when 'p' then 'primary_key'
                       when 'u' then 'unique' when 'x' then 'exclusion' when 't' then 'trigger' end as kind,
                   count(*) as count, count(*) filter (where not convalidated) as not_validated,
                   \(digest(of: "string_agg(line, ',' order by line collate \"C\")")) as digest
            from (
                select k.contype, k.convalidated, format('%I.%I %I %s', n.nspname,
                    coalesce(c.relname, t.typname), k.conname, k.convalidated) as line
                from pg_constraint k
                join pg_namespace n on n.oid = k.connamespace
                left join pg_class c on c.oid = k.conrelid left join pg_type t on t.oid = k.contypid
                left join pg_depend d on d.deptype = 'e' and d.refclassid = 'pg_extension'::regclass and (
                    d.classid = 'pg_class'::regclass and d.objid = k.conrelid
                    or d.classid = 'pg_type'::regclass and d.objid = k.contypid)
                where k.oid >= 16384 and k.contype <> 'n' and \(isOwn) and d.objid is null
                    and c.relpersistence is distinct from 't' and not \(Relations.isInSystemSchema)
            ) found
            group by contype order by contype
            """)
        var record = ConstraintsRecord(counts: [:], notValidated: 0, sha256: nil)
        var digests = ""
        for row in rows {
            guard let kind = try row.optionalText("kind") else { continue }
            record.counts[kind] = try row.integer("count")
            record.notValidated += try row.integer("not_validated")
            digests += "\(kind) \(try row.text("digest"))\n"
        }
        if !rows.isEmpty { record.sha256 = try sha256(ofText: digests) }
        return record
    }

    /// Catalogs whose objects are counted as they are: those of users.
    private struct Counted {
        var catalog: String
        var kind: String
        var condition = "true"

        var question: String {
            "select '\(catalog)'::regclass, oid, \(kind) from \(catalog) o where oid >= 16384 and \(condition)"
        }
    }

    private static let counted = [
        // Every new database has `public`, with an OID of the system's; one that was dropped and created again has another.
        Counted(catalog: "pg_namespace", kind: "'schema'", condition: "nspname !~ '^pg_' and nspname <> 'public'"),
        Counted(
            catalog: "pg_proc",
            kind:
                "case to_jsonb(o) ->> 'prokind' when 'p' then 'procedure' when 'a' then 'aggregate' else 'function' end"
        ),
        Counted(
            catalog: "pg_type",
            kind: "case typtype when 'd' then 'domain' when 'e' then 'enum' when 'r' then 'range' "
                + "else 'base_type' end",
            condition: "(typtype in ('d', 'e', 'r') or typtype = 'b' and typcategory <> 'A')"),
        Counted(catalog: "pg_trigger", kind: "'trigger'", condition: "not tgisinternal"),
        Counted(catalog: "pg_policy", kind: "'policy'"),
        Counted(catalog: "pg_rewrite", kind: "'rule'", condition: "rulename <> '_RETURN'"),
        Counted(catalog: "pg_event_trigger", kind: "'event_trigger'"),
        Counted(catalog: "pg_cast", kind: "'cast'"),
        // Without a function it is only named by another one, and not dumped.
        Counted(catalog: "pg_operator", kind: "'operator'", condition: "oprcode <> 0"),
        Counted(catalog: "pg_opclass", kind: "'operator_class'"),
        Counted(catalog: "pg_opfamily", kind: "'operator_family'"),
        Counted(catalog: "pg_collation", kind: "'collation'"),
        Counted(catalog: "pg_conversion", kind: "'conversion'"),
        Counted(catalog: "pg_language", kind: "'language'"),
        Counted(catalog: "pg_am", kind: "'access_method'"),
        Counted(catalog: "pg_transform", kind: "'transform'"),
        Counted(catalog: "pg_ts_config", kind: "'text_search_configuration'"),
        Counted(catalog: "pg_ts_dict", kind: "'text_search_dictionary'"),
        Counted(catalog: "pg_ts_parser", kind: "'text_search_parser'"),
        Counted(catalog: "pg_ts_template", kind: "'text_search_template'"),
        Counted(catalog: "pg_foreign_data_wrapper", kind: "'foreign_data_wrapper'"),
        Counted(catalog: "pg_foreign_server", kind: "'foreign_server'"),
        Counted(catalog: "pg_publication", kind: "'publication'"),
        Counted(catalog: "pg_statistic_ext", kind: "'statistics'"),
        Counted(catalog: "pg_default_acl", kind: "'default_privileges'"),
    ]
}
