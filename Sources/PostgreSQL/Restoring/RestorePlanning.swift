import DumpCore
import Processes
import SystemPackage

/// Finds out what a restore would do, and what stands in its way.
struct RestorePlanning: Sendable {
    let request: RestoreRequest
    let dump: Manifest.DumpRecord
    let files: any DumpFiles
    let target: RestoreTarget
    let restorer: PostgreSQLRestorer
    let run: RunContext

    func prepared() async throws(DumpError) -> PreparedPostgreSQLRestore {
        let selection = RestoreSelection(request, of: dump)
        let archives = try await archives(of: selection)
        let dumped = selection.databases.map { contents in
            let archive = archives[contents.name.nameBytes]
            let needs = contents.record.map(DumpedDatabase.Needs.init) ?? archive.map(DumpedDatabase.Needs.init)
            return DumpedDatabase(contents: contents, needs: needs ?? DumpedDatabase.Needs())
        }
        let named = selection.named(by: request, on: target.facts, dumped, run.runID, of: dump)
        let tables = tables(of: selection, archives)
        let client = try await client()
        let isEmptyServer = request.pieces.isEmpty ? try await target.isEmpty() : false
        let checks = RestoreChecks(
            dump: dump, target: target, databases: named.databases, isEmptyServer: isEmptyServer,
            isOfTables: !request.pieces.isEmpty,
            tablespacesInUse: archives.values.reduce(into: []) { $0.formUnion($1.tablespaces) })
        let checked = try await target.reading { session throws(DumpError) in try await checks.findings(session) }
        let findings =
            selection.findings + named.findings + tables.findings + versions(client) + checked
        return PreparedPostgreSQLRestore(
            request: request, dump: dump, restorer: restorer, target: target, client: client.client,
            databases: named.databases, tables: tables.selection, isEmptyServer: isEmptyServer,
            findings: findings.filter { $0.severity == .failure } + findings.filter { $0.severity == .warning }
                + findings.filter { $0.severity == .note })
    }

    private func archives(of selection: RestoreSelection) async throws(DumpError) -> [[UInt8]: ArchiveEntries] {
        var archives: [[UInt8]: ArchiveEntries] = [:]
        for database in selection.examined(for: request, of: dump) {
            let bytes = try await files.contents(of: database.contentsFile, limit: ArchiveEntries.sizeLimit)
            archives[database.name.nameBytes] = try ArchiveEntries.read(bytes, "\(database.contentsFile)")
        }
        return archives
    }

    private func tables(
        of selection: RestoreSelection, _ archives: [[UInt8]: ArchiveEntries]
    ) -> (selection: TableSelection?, findings: [Finding]) {
        guard !request.pieces.isEmpty else { return (nil, []) }
        guard selection.databases.count == 1, let archive = archives[selection.databases[0].name.nameBytes] else {
            guard selection.databases.count > 1 else { return (nil, []) }
            return (
                nil,
                [
                    Finding(
                        .failure, "restore_tables_of_one", object: dump.name,
                        "tables of one database can be restored at a time, and \(selection.databases.count) are chosen",
                        hint: "Name the database with --database.")
                ]
            )
        }
        let tables = TableSelection(request.pieces, of: archive, rowsOnly: request.rowsOnly)
        return (tables, tables.findings + collisions(tables))
    }

    /// Two tables of one name in one schema.
    private func collisions(_ tables: TableSelection) -> [Finding] {
        guard let schema = request.schema else { return [] }
        var seen: Set<[UInt8]> = []
        return tables.tables.filter { !seen.insert($0.tag.nameBytes).inserted }.map {
            Finding(
                .failure, "restore_tables_alike", object: $0.qualifiedName,
                "two tables called '\($0.tag)' cannot both be in schema '\(schema)'",
                hint: "Leave out --schema, or restore them one after the other.")
        }
    }
}

extension RestoreSelection {
    /// Those whose tables of contents must be read beforehand: for tables, for manifests without records, and to learn which tablespaces are
    /// in use.
    func examined(for request: RestoreRequest, of dump: Manifest.DumpRecord) -> [DatabaseContents] {
        let areAllNeeded = !request.pieces.isEmpty || dump.cluster?.tablespaces.isEmpty == false
        return databases.filter { $0.path.hasBytePrefix("databases/") && (areAllNeeded || $0.record == nil) }
    }
}

extension DatabaseContents {
    fileprivate var contentsFile: FilePath { FilePath(path).appending(ArchiveVerification.contentsFile) }
}

extension PostgreSQLRestorer {
    public func examinedFiles(of dump: Manifest.DumpRecord, for request: RestoreRequest) -> [FilePath] {
        RestoreSelection(request, of: dump).examined(for: request, of: dump).map(\.contentsFile)
    }
}

extension RestoreTarget {
    /// Whether it holds nothing but what initdb made.
    fileprivate func isEmpty() async throws(DumpError) -> Bool {
        let own: Set<[UInt8]> = Set(["postgres", "template0", "template1"].map(\.nameBytes))
        guard facts.databases.allSatisfy({ own.contains($0.name.nameBytes) }), facts.role.isSuperuser else {
            return false
        }
        return try await reading { session throws(DumpError) in
            try await session.row(
                """
                select not exists (select from pg_roles where oid >= 16384)
                   and not exists (select from pg_tablespace where oid >= 16384) as is_empty
                """
            ).flag("is_empty")
        }
    }
}
