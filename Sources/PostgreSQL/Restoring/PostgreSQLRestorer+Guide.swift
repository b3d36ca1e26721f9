import DumpCore
import RowDelta

extension PostgreSQLRestorer {
    /// The lines of docs/restore.md, for this dump.
    public func guide(to request: RestoreRequest, of dump: Manifest.DumpRecord) -> [String] {
        let selection = RestoreSelection(request, of: dump)
        let user = request.user ?? RestoreConnection.usualUser
        let path = dump.path.asShellWord
        var lines = [
            "# The server's user reads from a directory of its own.",
            "restore=$(runuser -u \(user.asShellWord) -- mktemp -d -p /var/tmp)",
            "cp -r \(path)/. \"$restore\" && chown -R \(user.asShellWord) \"$restore\"",
            "export PGOPTIONS='-c default_transaction_read_only=off'",
        ]
        if let script = selection.databases.first(where: { !$0.path.hasBytePrefix("databases/") }) {
            lines += [
                "# The script drops and replaces every database that it holds.",
                "runuser -u \(user.asShellWord) -- psql -X -v ON_ERROR_STOP=1 -d \(conninfo("postgres", request)) "
                    + "-f \"$restore\"/\(script.path.asShellWord)",
            ]
        } else {
            lines += [
                "# Roles and tablespaces, on an empty server. On any other, take from the script what is missing.",
                "runuser -u \(user.asShellWord) -- psql -X -v ON_ERROR_STOP=1 -d \(conninfo("postgres", request)) "
                    + "-f \"$restore\"/\(GlobalsScript.file)",
            ]
            for database in selection.databases {
                if database.tables.contains(where: { $0.rowFiles != nil }) {
                    lines.append(
                        "runuser -u \(user.asShellWord) -- sh \"$restore\"/\(database.path.asShellWord)/\(RowScript.file)"
                    )
                }
                lines += restoring(database, request, as: user)
            }
        }
        return lines + ["rm -r \"$restore\""]
    }

    private func restoring(_ database: DatabaseContents, _ request: RestoreRequest, as user: String) -> [String] {
        let run = "runuser -u \(user.asShellWord) --"
        let name = request.newName(of: database.name)
        let guide = database.record.map { DatabaseGuide(record: $0, name: name) }
        let creation = guide?.creation ?? "create database \(name.asIdentifier) template template0"
        var options = "--exit-on-error"
        if request.jobs > 1 { options += " --jobs=\(request.jobs)" }
        for piece in request.pieces {
            let parts = piece.split(atASCII: ".", maxSplits: 1)
            if parts.count == 2 { options += " --schema=\(String(parts[0]).asShellWord)" }
            options += " --table=\(String(parts.last ?? "").asShellWord)"
        }
        let target = conninfo(name, request)
        let server = conninfo("postgres", request)
        let attributes = (guide?.attributes ?? []).map { statement in
            statement.hasPrefix("--")
                ? "#\(statement.dropFirst(2))" : "\(run) psql -X -d \(server) -c \(statement.asShellWord)"
        }
        return [
            "\(run) psql -X -d \(server) -c \(creation.asShellWord)",
            "\(run) pg_restore \(options) -d \(target) \"$restore\"/\(database.path.asShellWord)",
            "\(run) psql -X -d \(target) -c 'ANALYZE'",
        ] + (request.pieces.isEmpty ? attributes : [])
    }

    private func conninfo(_ database: String, _ request: RestoreRequest) -> String {
        let own = (request.target ?? "").hasBytePrefix("postgres") ? "" : request.target ?? ""
        return "\(own) \(ConnectionOptions.conninfo("dbname", database))".trimmed.asShellWord
    }
}

extension RestoreRequest {
    fileprivate func newName(of database: String) -> String {
        if case .named(let name) = placement { return name }
        return database + "_restored"
    }
}
