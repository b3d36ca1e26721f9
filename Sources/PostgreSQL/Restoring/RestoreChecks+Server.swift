import DumpCore
import Linux
import SystemPackage

extension RestoreChecks {
    /// On an empty server their directories, which CREATE TABLESPACE expects; on others themselves.
    func tablespaces(_ session: Session) async throws(DumpError) -> [Finding] {
        let existing = Set(
            try await session.texts("select spcname as name from pg_tablespace", "name").map(\.nameBytes))
        if isEmptyServer, let cluster = dump.cluster {
            var findings: [Finding] = []
            for tablespace in cluster.tablespaces where !existing.contains(tablespace.name.nameBytes) {
                findings += try await directory(of: tablespace, session)
            }
            return findings
        }
        guard !isOfTables else { return [] }
        let needed = databases.compactMap(\.dumped.needs.tablespace) + (tablespacesInUse ?? []).sorted()
        let missing = Set(needed.filter { !existing.contains($0.nameBytes) && $0 != "pg_default" }).sorted()
        return missing.map { name in
            let known = dump.cluster?.tablespaces.first { $0.name.nameBytes == name.nameBytes }
            let location = known?.location ?? "/path/to/directory"
            return Finding(
                .failure, "tablespace_missing", object: name, "tablespace '\(name)' is not on the server",
                hint: "Make an empty directory of the server's user, then run "
                    + "CREATE TABLESPACE \(name.asIdentifier) LOCATION \(location.asLiteral).")
        }
    }

    private func directory(
        of tablespace: TablespaceRecord, _ session: Session
    ) async throws(DumpError) -> [Finding] {
        guard target.facts.role.isSuperuser else { return [] }
        let row = try await session.row(
            "select coalesce((pg_stat_file($1, true)).isdir, false) as is_there", [tablespace.location])
        let command = "install -d -o postgres -m 700 \(tablespace.location)"
        guard try row.flag("is_there") else {
            return [
                Finding(
                    .failure, "tablespace_directory_missing", object: tablespace.name,
                    "the directory \(tablespace.location) of tablespace '\(tablespace.name)' is not on the server",
                    hint: "On the server's host, run: \(command)")
            ]
        }
        let entries = try await session.query(
            "select 1 from pg_ls_dir($1) name where name ~ ('^PG_' || $2 || '_')",
            [tablespace.location, String(target.facts.major)])
        guard !entries.isEmpty else { return [] }
        return [
            Finding(
                .failure, "tablespace_directory_taken", object: tablespace.name,
                "the directory \(tablespace.location) of tablespace '\(tablespace.name)' belongs to another server",
                hint: "Move what is in it away, or mount another file system there.")
        ]
    }

    func extensions(_ session: Session) async throws(DumpError) -> [Finding] {
        guard !isOfTables else { return [] }
        var available: [[UInt8]: String] = [:]
        for row in try await session.query(
            "select name, coalesce(default_version, '') as version from pg_available_extensions")
        {
            available[try row.text("name").nameBytes] = try row.text("version")
        }
        var findings: [Finding] = []
        for (name, versions) in neededExtensions {
            guard let version = available[name.nameBytes] else {
                findings.append(.extensionMissing(name, major: target.facts.major, in: databaseNames(with: name)))
                continue
            }
            guard let dumped = versions.first(where: { !$0.isEmpty && $0 != version }) else { continue }
            findings.append(
                Finding(
                    .note, "extension_version_differs", object: name,
                    "extension '\(name)' was of version \(dumped), and the server brings \(version)",
                    hint: "Test the application with it, as its functions may have changed."))
        }
        return findings
    }

    /// In the order of their names, with the versions that the dump has of each.
    private var neededExtensions: [(name: String, versions: [String])] {
        var needed: [String: [String]] = [:]
        for found in databases.flatMap(\.dumped.needs.extensions) {
            needed[found.name, default: []].append(found.version)
        }
        return needed.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    private func databaseNames(with name: String) -> String {
        databases.filter { $0.dumped.needs.extensions.contains { $0.name == name } }.map { "'\($0.dumped.name)'" }
            .joined(separator: ", ")
    }

    /// Extensions that cannot be created in a server that has not loaded their library at its start.
    private static let preloaded: [String: String] = [
        "pg_cron": "pg_cron", "timescaledb": "timescaledb", "citus": "citus", "pgaudit": "pgaudit",
        "pglogical": "pglogical", "pg_squeeze": "pg_squeeze", "pg_net": "pg_net",
    ]

    func preloadLibraries(_ session: Session) async throws(DumpError) -> [Finding] {
        let rows = try await session.query(
            "select setting from pg_settings where name = 'shared_preload_libraries'")
        // A role that may not see it learns nothing.
        guard let setting = try rows.first?.text("setting") else { return [] }
        let loaded = Set(Self.libraries(setting))
        let extensions = isOfTables ? [] : neededExtensions.map(\.name)
        let needed = extensions.compactMap { name in Self.preloaded[name].map { (name, $0) } }
        var findings = needed.filter { !loaded.contains($0.1) }.map { name, library in
            Finding(
                .failure, "preload_library_missing", object: library,
                "extension '\(name)' can be created only where '\(library)' is in shared_preload_libraries",
                hint: "Add it to shared_preload_libraries in postgresql.conf and restart the server.")
        }
        if extensions.contains("pg_cron"), loaded.contains("pg_cron"), try await !isBoundToUs("pg_cron", session) {
            findings.append(.pgCron)
        }
        let dumped = dump.cluster?.preloadLibraries["shared_preload_libraries"].map(Self.libraries) ?? []
        for library in dumped where !loaded.contains(library) && !needed.contains(where: { $0.1 == library }) {
            findings.append(
                Finding(
                    .warning, "preload_library_missing", object: library,
                    "the dumped server had '\(library)' in shared_preload_libraries, and this one has not",
                    hint: "Add it to shared_preload_libraries and restart the server, if the application needs it."))
        }
        return findings
    }

    /// Whether the server lets the extension into the database that is filled, as that of a drill does.
    private func isBoundToUs(_ name: String, _ session: Session) async throws(DumpError) -> Bool {
        let rows = try await session.query("select setting from pg_settings where name = 'cron.database_name'")
        let bound = try rows.first?.text("setting")
        return databases.allSatisfy { database in
            !database.dumped.needs.extensions.contains { $0.name == name } || database.fresh == bound
        }
    }

    /// Without directories: `$libdir/pg_cron` is `pg_cron`.
    private static func libraries(_ setting: String) -> [String] {
        setting.split(atASCII: ",").compactMap { part in
            String(part).trimmed.split(atASCII: "/").last.map { String($0.filter { $0 != "\"" }) }
        }
    }

    /// What can be known of the room for it: only where the server is on this host, and we may look.
    func space(_ session: Session) async throws(DumpError) -> [Finding] {
        guard target.isLocal, target.facts.role.isSuperuser else { return [] }
        let directory = try await session.row("select current_setting('data_directory') as directory").text("directory")
        // Another namespace may have another directory there, or none: then nothing is known.
        guard let free = try? FileSystem.availableBytes(at: FilePath(directory)) else { return [] }
        let needed = databases.map(\.bytes).total
        guard free < needed else { return [] }
        return [
            Finding(
                .warning, "restore_space", object: directory,
                "the restore takes about \(formatBytes(needed)), and \(formatBytes(free)) are free in \(directory)",
                hint: "Free space there, or restore fewer databases at a time with --database.")
        ]
    }
}

extension Finding {
    fileprivate static func extensionMissing(_ name: String, major: Int, in databases: String) -> Finding {
        Finding(
            .failure, "extension_unavailable", object: name,
            "extension '\(name)' of \(databases) is not installed on the server",
            hint: "Install its package on the server's host, for PostgreSQL \(major). "
                + "On Debian, search: apt-cache search postgresql-\(major) | grep -i \(name.shellWord)")
    }

    /// It refuses all databases but one, and no restore begins under a database's final name.
    fileprivate static var pgCron: Finding {
        Finding(
            .failure, "extension_bound_to_database", object: "pg_cron",
            "extension 'pg_cron' can be created in the database that cron.database_name names, and in no other",
            hint: "Leave that database out with --database, and restore it by hand as docs/restore.md shows.")
    }
}

extension String {
    /// Letters, digits and the like; all else is left out.
    fileprivate var shellWord: String {
        String(
            unicodeScalars.filter {
                $0.properties.isAlphabetic || ("0"..."9").contains($0) || "_-".unicodeScalars.contains($0)
            })
    }
}
