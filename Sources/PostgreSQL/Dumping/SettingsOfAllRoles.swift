import DumpCore

/// `ALTER ROLE ALL SET …`: settings of every role in every database, which pg_dumpall leaves out.
struct SettingsOfAllRoles: Sendable, Equatable {
    /// In SQL, one a setting.
    var statements: [String]

    static func ask(_ session: Session) async throws(DumpError) -> SettingsOfAllRoles {
        let rows = try await session.query(
            """
            select format('ALTER ROLE ALL SET %I TO %s;', name, case when name in (\(lists)) then elements else quote_literal(value) end)
                       as statement
            from pg_db_role_setting s
            cross join unnest(s.setconfig) with ordinality as setting (text, place)
            cross join lateral (
                select split_part(text, '=', 1) as name, substr(text, strpos(text, '=') + 1) as value
            ) parts
            cross join lateral (
                select coalesce(string_agg(quote_literal(coalesce(replace(m[1], '""', '"'), m[2])), ', '), '''''') as elements
                from regexp_matches(value, '"((?:[^"]|"")*)"|([^,[:space:]]+)', 'g') m
            ) list
            where setdatabase = 0 and setrole = 0 order by place
            """)
        var statements: [String] = []
        for row in rows { statements.append(try row.text("statement")) }
        return SettingsOfAllRoles(statements: statements)
    }

    /// Those whose value is a list of names, each quoted by itself (`GUC_LIST_QUOTE`; `variable_is_guc_list_quote` in `dumputils.c`).
    private static let lists = """
        'local_preload_libraries', 'search_path', 'session_preload_libraries', 'shared_preload_libraries', 'temp_tablespaces', \
        'unix_socket_directories'
        """

    /// What comes before pg_dumpall's own lines.
    var prologue: String {
        statements.isEmpty
            ? ""
            : "-- Muster wrote these lines too, which pg_dumpall leaves out.\n" + statements.joined(separator: "\n")
                + "\n\n"
    }
}
