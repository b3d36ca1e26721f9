import DumpCore
import SystemPackage

/// The files that a server reads its settings from, read over SQL: they need not be on this host.
struct ServerSettingsFiles: Sendable {
    struct File: Sendable {
        var path: FilePath
        var bytes: [UInt8]
    }

    struct Contents: Sendable {
        var files: [File] = []
        var unreadable: [Finding] = []
    }

    var server: ServerFacts

    /// `postgresql.conf`, `pg_hba.conf`, `pg_ident.conf`, `postgresql.auto.conf` and what they include, as far as the role may
    /// know: in the order of their paths, or none at all.
    func paths(_ session: Session) async throws(DumpError) -> [FilePath] {
        let rows = try await session.query(
            """
            select setting as path from pg_settings where name in ('config_file', 'hba_file', 'ident_file')
            union select setting || '/postgresql.auto.conf' from pg_settings where name = 'data_directory'
            union select sourcefile from pg_settings where sourcefile is not null
            \(includedByRules) order by 1
            """)
        var paths: [FilePath] = []
        for row in rows { paths.append(FilePath(try row.text("path"))) }
        return paths
    }

    /// Reads them all. What the role may not read, or must not know of, is an omission; a file that is not there is not.
    func read(_ session: Session) async throws(DumpError) -> Contents {
        let paths = try await paths(session)
        guard !paths.isEmpty else { return Contents(unreadable: [unknown]) }
        var contents = Contents()
        for path in paths {
            do throws(DumpError) {
                let row = try await session.row(
                    "select encode(pg_read_binary_file($1), 'hex') as contents", [path.string])
                contents.files.append(File(path: path, bytes: try row.bytes("contents")))
            } catch {
                guard let state = error.context["sqlstate"] else { throw error }
                if state != Self.noSuchFile { contents.unreadable.append(unreadable(path, error)) }
            }
        }
        return contents
    }

    /// From 16 on, the files of rules may include others too; only a superuser is sure to see which.
    private var includedByRules: String {
        guard server.major >= 16, server.role.isSuperuser else { return "" }
        return """
            union select file_name from pg_hba_file_rules
            union select file_name from pg_ident_file_mappings
            """
    }

    private static let noSuchFile = "58P01"
    private static let grants =
        "GRANT pg_read_all_settings, pg_read_server_files TO it, with EXECUTE ON FUNCTION pg_read_binary_file(text)"

    private var unknown: Finding {
        Finding(
            .warning, .settingsFileUnreadable, object: "postgresql.conf",
            "role '\(server.role.name)' may not see where the server's settings files are",
            hint: "\(Self.grants), or connect as a superuser.")
    }

    private func unreadable(_ path: FilePath, _ error: DumpError) -> Finding {
        Finding(
            .warning, .settingsFileUnreadable, object: path.string,
            "settings file \(path) could not be copied: \(error.message)",
            hint: "\(Self.grants), or connect as a superuser.")
    }
}
