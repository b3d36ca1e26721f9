import Checksums
import DumpCore
import RowDelta
import SystemPackage

/// The tables of one database that the last set has as rows, with what was sealed of their files.
struct FormerDatabase: Sendable {
    private var tables: [TableName: FormerRows] = [:]
    /// What kept tables from being among them. Of the list of all files, sealing says it.
    private(set) var damaged = DamagedFiles()

    /// None without a last dump, and of one whose list is not what its manifest sealed: then every table gets a new base. So does a table
    /// whose digest is another in the manifest than in the list for the script.
    ///
    /// - Parameter name: of the database.
    init(_ name: String, of previous: PreviousDump?) {
        guard let previous,
            let database = previous.record.databases.first(where: { $0.name.nameBytes == name.nameBytes }),
            database.tables.contains(where: { $0.rowFiles != nil }),
            let sealed = try? Self.sealed(below: FilePath(database.path), of: previous)
        else { return }
        guard !sealed.isEmpty else { return }
        guard let digests = try? Self.digests(below: FilePath(database.path), of: previous, sealed) else {
            damaged.add(
                previous.record.directory.pushing(FilePath(database.path)).appending(RowScript.directory)
                    .appending(RowScript.digests))
            return
        }
        for table in database.tables {
            guard let rows = table.rowFiles else { continue }
            guard digests[rows.file] == rows.sha256 else {
                // The list vouches for its digests: those of the manifest are others.
                damaged.add("manifest.json")
                continue
            }
            let path = FilePath(database.path).pushing(FilePath(rows.path))
            tables[TableName(schema: table.schema, name: table.name)] = FormerRows(
                directory: previous.directory.pushing(path), sealed: sealed[path] ?? [:],
                dumpedSHA256: rows.dumpedSHA256, sha256: rows.sha256)
        }
    }

    subscript(_ table: TableName) -> FormerRows? { tables[table] }

    /// Those of the tables as they are put together, by their files. The list of files vouches for them, and not the manifest alone. Nil or an
    /// error for a list that is not what was sealed.
    private static func digests(
        below path: FilePath, of previous: PreviousDump, _ sealed: [FilePath: [String: String]]
    ) throws -> [String: String]? {
        let directory = path.appending(RowScript.directory)
        let list = previous.directory.pushing(directory).appending(RowScript.digests)
        guard let lines = try lines(of: list, sealed: sealed[directory]?[RowScript.digests]) else { return nil }
        var digests: [String: String] = [:]
        while let line = try lines.next() { digests[line.path.string] = line.sha256 }
        return digests
    }

    /// Nil for a list that is not what was sealed.
    private static func lines(of list: FilePath, sealed sha256: String?) throws -> ChecksumListFile? {
        guard try FileScan(list).digest().sha256 == sha256 else { return nil }
        return try ChecksumListFile(list)
    }

    /// Digests by directory, relative to the dump's, and by name. None if the list of them is not what was sealed.
    private static func sealed(
        below path: FilePath, of previous: PreviousDump
    ) throws -> [FilePath: [String: String]] {
        // A dump's directory is in the set's.
        let root = previous.directory.removingLastComponent()
        let list = root.pushing(FilePath(previous.record.checksums.path))
        let place = previous.record.directory.pushing(path).appending(RowScript.directory)
        var sealed: [FilePath: [String: String]] = [:]
        let lines = try lines(of: list, sealed: previous.record.checksums.sha256)
        while let line = try lines?.next() {
            guard line.path.starts(with: place), let name = line.path.lastComponent else { continue }
            var directory = line.path.removingLastComponent()
            guard directory.removePrefix(previous.record.directory) else { continue }
            sealed[directory, default: [:]][name.string] = line.sha256
        }
        return sealed
    }
}
