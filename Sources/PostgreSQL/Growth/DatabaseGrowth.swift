import DumpCore
import Linux
import RowDelta
import SystemPackage

/// Stores the large tables of a dump that was verified as what has changed since the last set.
struct DatabaseGrowth: Sendable {
    let settings: PostgreSQLSettings
    /// The name of the database, and where it is in the dump.
    let name: String
    let path: FilePath
    /// The database's part of the dump.
    let target: FilePath
    let start: Timestamp
    let run: RunContext

    private var policy: RowPolicy {
        var policy = RowPolicy()
        policy.maxAge = settings.growthMaxAge
        return policy
    }

    /// Each may need 16 MiB and more.
    private static let workers = 2

    /// Whether tables are stored so. A dump by hand is for someone to take away.
    static func isOn(_ settings: PostgreSQLSettings, in run: RunContext) -> Bool {
        settings.growth == .delta && !run.surroundings.isByHand
    }

    /// Whether a table is, and need not be named to the run as a file.
    static func isStored(_ digest: FileDigest) -> Bool { digest.bytes >= RowPolicy().leastBytes }

    /// Stores them, and returns the tables with where they are, and what of the last set is damaged. Their files are gone then.
    func store(_ archive: VerifiedArchive) async throws(DumpError) -> (tables: [TableContents], damaged: DamagedFiles) {
        let chosen = chosen(among: archive.files)
        for file in archive.files where Self.isStored(file.digest) && chosen[file.table] == nil {
            run.shortcuts.completed(path.appending(file.file), file.digest)
        }
        guard !chosen.isEmpty else { return (archive.tables, DamagedFiles()) }
        try make(target.appending(RowScript.directory))
        let former = FormerDatabase(name, of: run.shortcuts.previous)
        let items = archive.files.filter { chosen[$0.table] != nil }.sorted { $0.digest.bytes > $1.digest.bytes }
        let stored = try await FileWorkers.forEach(items, atMost: Self.workers) { (file, stop) throws(DumpError) in
            try store(file, as: chosen[file.table]!, former[file.table], until: stop)
        }
        let rows = Dictionary(uniqueKeysWithValues: zip(items.map(\.table), stored.map(\.rows)))
        try writeLists(rows.values.sorted { $0.path < $1.path })
        let tables = archive.tables.map { table in
            var table = table
            table.rowFiles = rows[TableName(schema: table.schema, name: table.name)]
            return table
        }
        return (tables, stored.reduce(into: former.damaged) { $0.add($1.damaged) })
    }

    /// The directories of the tables that are stored so. Small ones stay files, and what has rows that few programs can take.
    private func chosen(among files: [TableFile]) -> [TableName: FilePath.Component] {
        var (chosen, taken) = ([TableName: FilePath.Component](), Set<FilePath.Component>())
        // Names that are not UTF-8 may be shown as others are called.
        let alike = Dictionary(files.map { ($0.table, 1) }, uniquingKeysWith: +).filter { $1 > 1 }
        for file in files where Self.isStored(file.digest) && !file.hasLongRows && alike[file.table] == nil {
            guard let name = RowDirectory.name(of: file.table), taken.insert(name).inserted else { continue }
            chosen[file.table] = name
        }
        return chosen
    }

    private func store(
        _ file: TableFile, as name: FilePath.Component, _ former: FormerRows?, until stop: StopSign
    ) throws(DumpError) -> (rows: RowFiles, damaged: DamagedFiles) {
        let rows = FilePath(RowScript.directory).appending(name)
        let stored: StoredRows
        do throws(RowDeltaError) {
            stored = try RowStorage(policy, at: start).store(
                target.appending(file.file), file.digest, former: former, into: target.pushing(rows),
                spillingTo: target, until: stop)
        } catch {
            throw DumpError(storing: name.string, error)
        }
        for (name, digest) in stored.files { run.shortcuts.completed(path.pushing(rows).appending(name), digest) }
        log(stored, name.string)
        let files = RowFiles(
            path: rows.string, file: file.file.string, bytes: stored.bytes, sha256: stored.sha256,
            storedBytes: stored.storedBytes, dumpedSHA256: stored.dumpedSHA256)
        return (files, damaged(stored, former))
    }

    /// What the last set has of a table that is not what was sealed.
    private func damaged(_ stored: StoredRows, _ former: FormerRows?) -> DamagedFiles {
        var damaged = DamagedFiles()
        guard let former, let previous = run.shortcuts.previous else { return damaged }
        var directory = former.directory
        guard directory.removePrefix(previous.directory) else { return damaged }
        for name in stored.damaged { damaged.add(previous.record.directory.pushing(directory).appending(name)) }
        return damaged
    }

    private func log(_ stored: StoredRows, _ table: String) {
        switch stored.outcome {
        case .base(let why):
            run.log.info(
                "a table is stored whole",
                metadata: ["dump": "\(run.dump)", "database": "\(name)", "table": "\(table)", "why": "\(why)"])
        case .unchanged:
            run.log.debug(
                "a table has not changed",
                metadata: ["dump": "\(run.dump)", "database": "\(name)", "table": "\(table)"])
        case .change(let added, let removed, let changed, let isFolded):
            run.log.debug(
                "a table is stored as what has changed",
                metadata: [
                    "dump": "\(run.dump)", "database": "\(name)", "table": "\(table)", "rows_added": "\(added)",
                    "rows_removed": "\(removed)", "rows_changed": "\(changed)", "folded": "\(isFolded)",
                ])
        }
    }

    private func writeLists(_ tables: [RowFiles]) throws(DumpError) {
        let rows = target.appending(RowScript.directory)
        let names = tables.map { "\($0.file) \(FilePath($0.path).lastComponent?.string ?? "")\n" }.joined()
        let digests = tables.map { "\($0.sha256)  \($0.file)\n" }.joined()
        let script = RowScript.text(
            next: "Then restore it as any directory of pg_dump: pg_restore -d DATABASE DIRECTORY")
        try write(names, to: rows.appending(RowScript.tables))
        try write(digests, to: rows.appending(RowScript.digests))
        try write(script, to: target.appending(RowScript.file))
    }

    private func make(_ directory: FilePath) throws(DumpError) {
        do { try FileSystem.createDirectory(directory) } catch { throw DumpError(creating: directory, error) }
    }

    private func write(_ text: String, to path: FilePath) throws(DumpError) {
        do {
            let file = try FileSystem.createFile(path)
            try file.closeAfter { _ = try file.writeAll(text.utf8) }
        } catch {
            throw DumpError(creating: path, error)
        }
    }
}

extension DumpError {
    /// What keeps a table from being stored as rows.
    init(storing table: String, _ error: RowDeltaError) {
        let isFull = error.underlying as? Errno == .noSpace || error.underlying as? Errno == .diskQuotaExceeded
        self.init(
            error.code == .cancelled ? .cancelled : isFull ? .noSpace : .system, error.message,
            hint: isFull ? FailureCause.freeSpaceHint : nil, context: ["table": table], underlying: error)
    }
}
