import Borg
import DumpCore
import SystemPackage

/// What became of something between two sets.
public enum Change: String, Sendable, Encodable {
    case added, removed, changed, same

    init(_ before: Bool, _ after: Bool, differ: Bool) {
        switch (before, after) {
        case (false, _): self = .added
        case (_, false): self = .removed
        default: self = differ ? .changed : .same
        }
    }
}

/// Two sets compared by what their archives say of them: dumps, databases, tables, files.
///
/// Files are the same when their digests are. A database whose tables have the same rows may have changed files all the same: rows are
/// only counted, and a dump notes its time.
public struct SetDifference: Sendable, Encodable {
    public struct Side: Sendable, Encodable {
        public var repository: String
        public var archive: String
        public var runID: RunID
        public var startedAt: Timestamp
        public var bytes: Int64
    }

    public var before: Side
    public var after: Side
    /// In the order of their names, those that are the same as well.
    public var dumps: [DumpDifference]

    public var isEmpty: Bool { dumps.allSatisfy { $0.change == .same } }

    /// Reads the manifest and the lists of both.
    public static func between(
        _ before: CatalogedArchive, _ after: CatalogedArchive
    ) async throws -> SetDifference {
        async let old = before.repository.contents(of: before.archive)
        async let new = after.repository.contents(of: after.archive)
        let (one, other) = try await (old, new)
        let names = Set((one.manifest.dumps + other.manifest.dumps).map(\.name)).sorted()
        return SetDifference(
            before: Side(before, one), after: Side(after, other),
            dumps: names.map { DumpDifference($0, one, other) })
    }
}

extension SetDifference.Side {
    fileprivate init(_ archive: CatalogedArchive, _ contents: ArchiveContents) {
        self.init(
            repository: archive.repository.name, archive: archive.archive.name, runID: contents.manifest.runID,
            startedAt: contents.manifest.startedAt, bytes: contents.manifest.bytes)
    }
}

/// What became of one dump. A number is nil where there is no such dump.
public struct DumpDifference: Sendable, Encodable {
    public var name: String
    public var change: Change
    public var bytesBefore: Int64?
    public var bytesAfter: Int64?
    public var files: FileDifference
    /// In the order of their names, those that are the same as well.
    public var databases: [DatabaseDifference]

    fileprivate init(_ name: String, _ before: ArchiveContents, _ after: ArchiveContents) {
        let (old, new) = (before.dump(name), after.dump(name))
        self.name = name
        files = FileDifference(before.digests(ofDump: name), after.digests(ofDump: name))
        change = Change(old != nil, new != nil, differ: !files.isEmpty)
        (bytesBefore, bytesAfter) = (old?.bytesPutTogether, new?.bytesPutTogether)
        let (one, other) = (old?.byDatabase ?? [:], new?.byDatabase ?? [:])
        let changes = files
        databases = Set(one.keys).union(other.keys).sorted().map { database in
            DatabaseDifference(database, one[database], other[database], changes)
        }
    }
}

/// Which files of a dump are not the same; paths relative to the set.
public struct FileDifference: Sendable, Encodable {
    public var added: [String] = []
    public var removed: [String] = []
    public var changed: [String] = []

    public var isEmpty: Bool { count == 0 }
    public var count: Int { added.count + removed.count + changed.count }

    fileprivate init(_ before: [FilePath: String], _ after: [FilePath: String]) {
        for path in Set(before.keys).union(after.keys) {
            switch Change(before[path] != nil, after[path] != nil, differ: before[path] != after[path]) {
            case .added: added.append(path.string)
            case .removed: removed.append(path.string)
            case .changed: changed.append(path.string)
            case .same: break
            }
        }
        added.sort()
        removed.sort()
        changed.sort()
    }

    /// How many of them lie at one of these paths.
    fileprivate func count(below paths: Set<FilePath>) -> Int {
        (added + removed + changed).count { file in paths.contains { FilePath(file).starts(with: $0) } }
    }
}

/// What became of one database of a dump.
public struct DatabaseDifference: Sendable, Encodable {
    public var name: String
    /// By its files.
    public var change: Change
    public var rowsBefore: Int64?
    public var rowsAfter: Int64?
    /// How many of its files are not the same.
    public var filesChanged: Int
    /// Those with other numbers of rows, in the order of schema and name.
    public var tables: [TableDifference]

    fileprivate init(
        _ name: String, _ before: Place?, _ after: Place?, _ files: FileDifference
    ) {
        self.name = name
        filesChanged = files.count(below: Set([before?.path, after?.path].compactMap(\.self)))
        change = Change(before != nil, after != nil, differ: filesChanged > 0)
        let (old, new) = (before?.rows ?? [:], after?.rows ?? [:])
        rowsBefore = before.map { $0.rows.values.reduce(0, +) }
        rowsAfter = after.map { $0.rows.values.reduce(0, +) }
        tables = Set(old.keys).union(new.keys).filter { old[$0] != new[$0] }.sorted().map {
            TableDifference(schema: $0.schema, name: $0.name, rowsBefore: old[$0], rowsAfter: new[$0])
        }
    }

    fileprivate struct Place {
        /// Relative to the set.
        var path: FilePath
        var rows: [TableName: Int64]
    }

    fileprivate struct TableName: Hashable, Comparable {
        var schema: String
        var name: String

        static func < (left: Self, right: Self) -> Bool { (left.schema, left.name) < (right.schema, right.name) }
    }
}

/// A table that came, went, or has another number of rows. A number is nil where there is no such table.
public struct TableDifference: Sendable, Encodable {
    public var schema: String
    public var name: String
    public var rowsBefore: Int64?
    public var rowsAfter: Int64?
}

extension ArchiveContents {
    fileprivate func dump(_ name: String) -> Manifest.DumpRecord? { manifest.dumps.first { $0.name == name } }

    /// A table that is stored as rows counts as the file that they are put together to.
    fileprivate func digests(ofDump name: String) -> [FilePath: String] {
        let tables = dump(name)?.databases.rowFiles ?? []
        let directory = dump(name)?.directory ?? FilePath()
        let rows = Set(tables.map { directory.pushing($0.rows) })
        let files = (lists[name]?.lines ?? []).filter { !rows.contains($0.path.removingLastComponent()) }
            .map { ($0.path, $0.sha256) }
        return Dictionary(files + tables.map { (directory.pushing($0.file), $0.table.sha256) }) { first, _ in first }
    }
}

extension Manifest.DumpRecord {
    fileprivate var byDatabase: [String: DatabaseDifference.Place] {
        let places = databases.map { database in
            (
                database.name,
                DatabaseDifference.Place(
                    path: FilePath(path).appending(FilePath(database.path).components),
                    rows: Dictionary(
                        database.tables.map { (.init(schema: $0.schema, name: $0.name), $0.rows) }
                    ) { $0 + $1 })
            )
        }
        return Dictionary(places) { first, _ in first }
    }
}
