import DumpCore

extension DatabaseRecorder {
    func database() async throws(DumpError) -> DatabaseRecord {
        // Columns that not every version has are read through JSON, where what is not there is null.
        let row = try await session.row(
            """
            select pg_encoding_to_char(d.encoding) as encoding, d.datcollate as collate, d.datctype as ctype,
                   pg_get_userbyid(d.datdba) as owner, d.datconnlimit as connection_limit,
                   d.datistemplate as is_template, nullif(t.spcname, 'pg_default') as tablespace,
                   shobj_description(d.oid, 'pg_database') as comment,
                   case coalesce(to_jsonb(d) ->> 'datlocprovider', 'c')
                       when 'c' then 'libc' when 'i' then 'icu' when 'b' then 'builtin' else 'unknown' end as provider,
                   coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale') as locale,
                   to_jsonb(d) ->> 'daticurules' as rules, to_jsonb(d) ->> 'datcollversion' as collation_version,
                   d.datacl is not null as has_grants
            from pg_database d join pg_tablespace t on t.oid = d.dattablespace where d.datname = current_database()
            """)
        var record = DatabaseRecord(
            encoding: try row.text("encoding"), locale: try locale(row), owner: try row.text("owner"),
            connectionLimit: try row.integer("connection_limit"), isTemplate: try row.flag("is_template"))
        record.tablespace = try row.optionalText("tablespace")
        record.comment = try row.optionalText("comment")
        if try row.flag("has_grants") { record.grants = try await grants() }
        return record
    }

    private func locale(_ row: Row) throws(DumpError) -> LocaleRecord {
        LocaleRecord(
            provider: try row.text("provider"), collate: try row.text("collate"), ctype: try row.text("ctype"),
            name: try row.optionalText("locale"), rules: try row.optionalText("rules"),
            collationVersion: try row.optionalText("collation_version"))
    }

    private func grants() async throws(DumpError) -> [String] {
        try await session.texts(
            """
            select item::text as item from pg_database, unnest(datacl) item where datname = current_database()
            order by item::text collate "C"
            """, "item")
    }

    func settings() async throws(DumpError) -> [SettingRecord] {
        try await session.settings(
            of: "setdatabase = (select oid from pg_database where datname = current_database())")
    }

    func extensions() async throws(DumpError) -> [ExtensionRecord] {
        let rows = try await session.query(
            """
            select extname as name, extversion as version, nspname as schema
            from pg_extension join pg_namespace n on n.oid = extnamespace order by extname collate "C"
            """)
        return try rows.map { row throws(DumpError) in
            ExtensionRecord(
                name: try row.text("name"), version: try row.text("version"), schema: try row.text("schema"))
        }
    }

    /// How they connect is not asked: that holds passwords.
    func subscriptions() async throws(DumpError) -> [SubscriptionRecord] {
        let rows = try await session.query(
            """
            select subname as name, subenabled as is_enabled, publication
            from pg_subscription left join lateral unnest(subpublications) publication on true
            where subdbid = (select oid from pg_database where datname = current_database())
            order by subname collate "C", publication collate "C"
            """)
        var found: [SubscriptionRecord] = []
        for row in rows {
            let name = try row.text("name")
            if found.last.map({ !$0.name.utf8.elementsEqual(name.utf8) }) ?? true {
                found.append(SubscriptionRecord(name: name, isEnabled: try row.flag("is_enabled"), publications: []))
            }
            if let publication = try row.optionalText("publication") {
                found[found.count - 1].publications.append(publication)
            }
        }
        return found
    }

    func largeObjects() async throws(DumpError) -> Int64 {
        try await session.row("select count(*) as count from pg_largeobject_metadata").integer("count")
    }
}

extension Session {
    /// One column of all rows.
    func texts(_ statement: String, _ column: String) async throws(DumpError) -> [String] {
        try await query(statement).map { row throws(DumpError) in try row.text(column) }
    }

    /// - Parameter condition: over `pg_db_role_setting`.
    func settings(of condition: String) async throws(DumpError) -> [SettingRecord] {
        let rows = try await query(
            """
            select rolname as role, setting
            from pg_db_role_setting cross join unnest(setconfig) setting left join pg_roles on oid = setrole
            where \(condition) order by rolname collate "C" nulls first, setting collate "C"
            """)
        return try rows.map { row throws(DumpError) in
            SettingRecord(role: try row.optionalText("role"), try row.text("setting"))
        }
    }
}

extension [Row] {
    func map<Value>(_ transform: (Row) throws(DumpError) -> Value) throws(DumpError) -> [Value] {
        var values: [Value] = []
        values.reserveCapacity(count)
        for row in self { values.append(try transform(row)) }
        return values
    }
}
