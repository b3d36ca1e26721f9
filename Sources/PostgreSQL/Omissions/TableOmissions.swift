import DumpCore

/// The tables of one database whose rows its dump does not hold.
struct TableOmissions: Sendable {
    var server: ServerFacts

    /// Asks without waiting for anyone's lock.
    func ask(_ session: Session) async throws(DumpError) -> [Finding] {
        let rows = try await session.query(
            """
            select code, format('%I.%I.%I', current_database(), schema, name) as object, extension
            from (
                select n.nspname as schema, c.relname as name, e.extname as extension,
                       case when c.relkind = 'f' then 'foreign_table_data'
                            when \(Relations.isUnmarkedMember) then
                                case when \(Self.mayHoldRows) then 'extension_table_data' end
                            when \(Relations.isInSystemSchema) then 'table_in_system_schema'
                            when c.is_absent then 'unlogged_table_on_standby'
                            when row_security_active(c.oid) then 'table_rows_hidden'
                       end as code
                \(Relations.ofUsers) where c.relkind in ('r', 'f')
            ) omitted
            where code is not null order by schema collate "C", name collate "C"
            """)
        var findings: [Finding] = []
        for row in rows {
            let extensionName = try row.optionalText("extension") ?? ""
            findings.append(try finding(try row.text("code"), try row.text("object"), extensionName))
        }
        return findings
    }

    /// A size wants a lock that an ACCESS EXCLUSIVE lock keeps out; what is locked like that may hold rows for all we know.
    private static let mayHoldRows = """
        (exists (
            select from pg_locks l where l.relation = c.oid and l.mode = 'AccessExclusiveLock'
                and l.database = (select oid from pg_database where datname = current_database())
        ) or pg_relation_size(c.oid) > 0)
        """

    private func finding(_ code: String, _ table: String, _ extensionName: String) throws(DumpError) -> Finding {
        switch OmissionCode(rawValue: code) {
        case .foreignTableData:
            Finding(
                .note, .foreignTableData, object: table,
                "the rows of foreign table \(table) are elsewhere: only its definition is dumped",
                hint: "Back up the server that holds them.")
        case .extensionTableData:
            Finding(
                .warning, .extensionTableData, object: table,
                "the rows of table \(table) are not dumped: it belongs to extension '\(extensionName)'",
                hint:
                    "If they matter, have the extension mark it with pg_extension_config_dump(), or copy them elsewhere."
            )
        case .tableInSystemSchema:
            Finding(
                .warning, .tableInSystemSchema, object: table,
                "table \(table) is not dumped: its schema belongs to the system",
                hint: "Move it: ALTER TABLE … SET SCHEMA.")
        case .unloggedTableOnStandby:
            Finding(
                .warning, .unloggedTableOnStandby, object: table,
                "the rows of table \(table) are not on this standby: it is unlogged",
                hint: "Dump the primary, or have it logged: ALTER TABLE … SET LOGGED.")
        case .tableRowsHidden:
            Finding(
                .failure, .tableRowsHidden, object: table,
                "row-level security keeps role '\(server.role.name)' from all rows of table \(table)",
                hint: "Give the role BYPASSRLS, or dump as a superuser: pg_dump refuses to dump a part of them.")
        default:
            throw DumpError(.sourceUnavailable, "the server's answer has no usable 'code'")
        }
    }
}
