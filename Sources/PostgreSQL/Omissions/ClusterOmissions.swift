import DumpCore

/// What belongs to the cluster as a whole and is not in its dump.
struct ClusterOmissions: Sendable {
    var server: ServerFacts
    /// Nil if there is none that suits the server.
    var client: Client.Version?
    var copiesSettings: Bool

    /// Asks a session of any database. That must not be in a transaction: what cannot be read is found by trying.
    func ask(_ session: Session) async throws(DumpError) -> [Finding] {
        var findings = optimizerStatistics
        findings += try await replicationSlots(session)
        findings += server.role.omissions
        findings += try await settings(session)
        findings += try await tablespaces(session)
        return findings
    }

    private var optimizerStatistics: [Finding] {
        guard let client, !client.dumpsStatistics else { return [] }
        return [
            Finding(
                .note, .optimizerStatistics, object: "pg_dump", "pg_dump \(client) does not dump optimizer statistics",
                hint: "Run ANALYZE after a restore.")
        ]
    }

    private func replicationSlots(_ session: Session) async throws(DumpError) -> [Finding] {
        let rows = try await session.query(
            """
            select slot_name as name, slot_type as type from pg_replication_slots where not temporary
            order by slot_name collate "C"
            """)
        var findings: [Finding] = []
        for row in rows {
            let name = try row.text("name")
            findings.append(
                Finding(
                    .note, .replicationSlot, object: name,
                    "replication slot '\(name)' (\(try row.text("type"))) is in no dump",
                    hint: "After a restore, create it again and set up again what it fed."))
        }
        return findings
    }

    private func settings(_ session: Session) async throws(DumpError) -> [Finding] {
        let files = ServerSettingsFiles(server: server)
        guard !copiesSettings else { return try await files.read(session).unreadable }
        let paths = try await files.paths(session).map(\.string)
        let shown = paths.isEmpty ? "postgresql.conf, pg_hba.conf" : paths.joined(separator: ", ")
        return [
            Finding(
                .note, .serverSettings, object: paths.first ?? "postgresql.conf",
                "the server's settings files are not dumped: \(shown)",
                hint: "Set 'settings: true' to copy them, or back them up as files.")
        ]
    }

    private func tablespaces(_ session: Session) async throws(DumpError) -> [Finding] {
        let rows = try await session.query(
            """
            select spcname as name, pg_tablespace_location(oid) as location from pg_tablespace
            where spcname not in ('pg_default', 'pg_global') order by spcname collate "C"
            """)
        var findings: [Finding] = []
        for row in rows {
            let name = try row.text("name")
            let location = try row.text("location")
            findings.append(
                Finding(
                    .note, .tablespaceDirectory, object: name,
                    "tablespace '\(name)' is dumped by name: its directory \(location) is not",
                    hint: "Before a restore, create the directory, empty and owned by the server's user."))
        }
        return findings
    }
}

extension Client.Version {
    /// Whether `--statistics` is one of its options.
    var dumpsStatistics: Bool { major >= 18 }
}
