import Borg
import DumpCore
import Linux
import SystemPackage
import Trees

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

    /// The paths of all files that are not the same.
    public let files: DifferentFiles

    private enum CodingKeys: CodingKey { case before, after, dumps }

    public var isEmpty: Bool { dumps.allSatisfy { $0.change == .same } }

    /// Reads the manifest and the lists of both.
    public static func between(
        _ before: CatalogedArchive, _ after: CatalogedArchive
    ) async throws -> SetDifference {
        async let old = Contents(of: before)
        async let new = Contents(of: after)
        let pass = try await DifferencePass(old, new)
        return try await onOwnThread {
            var pass = pass
            try pass.compareFiles()
            return SetDifference(
                before: Side(before, pass.old.manifest), after: Side(after, pass.new.manifest), dumps: pass.dumps,
                files: pass.files)
        }
    }
}

/// What an archive says that it holds.
private struct Contents: Sendable {
    let manifest: Manifest
    let files: ListedFiles

    init(of archive: CatalogedArchive) async throws {
        manifest = try await archive.repository.manifest(of: archive.archive)
        files = try await ListedFiles(of: archive, manifest)
    }
}

/// The lists of two sets, read beside each other.
private struct DifferencePass: Sendable {
    let old: Contents
    let new: Contents
    let files = DifferentFiles()
    /// In the order of their names.
    private let names: [String]
    private let numbers: [FilePath: Int]
    private var differences: [FileDifference]
    /// How many files are not the same, by the places of databases.
    private var changedBelow: [FilePath: Int] = [:]

    init(_ old: Contents, _ new: Contents) {
        (self.old, self.new) = (old, new)
        let records = old.manifest.dumps + new.manifest.dumps
        let names = Set(records.map(\.name)).sorted()
        let byName = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
        self.names = names
        numbers = Dictionary(records.map { ($0.directory, byName[$0.name] ?? 0) }) { first, _ in first }
        differences = names.map { _ in FileDifference() }
        for record in records { for place in record.byDatabase.values { changedBelow[place.path] = 0 } }
    }

    var dumps: [DumpDifference] {
        zip(names, differences).map { name, files in
            DumpDifference(name, old.manifest.dump(name), new.manifest.dump(name), files, changedBelow)
        }
    }

    mutating func compareFiles() throws {
        var (before, after) = (old.files.sorted(), new.files.sorted())
        var (one, other) = (try before.next(), try after.next())
        while let path = [one?.path, other?.path].compactMap(\.self).min(by: TreeEntry.precedes) {
            let (wasThere, isThere) = (one?.path == path, other?.path == path)
            try note(path, Change(wasThere, isThere, differ: one?.sha256 != other?.sha256))
            if wasThere { one = try before.next() }
            if isThere { other = try after.next() }
        }
    }

    private mutating func note(_ path: FilePath, _ change: Change) throws(ArchiveError) {
        guard change != .same, let first = path.components.first, let number = numbers[FilePath(root: nil, [first])]
        else { return }
        try files.add(path, change, toDump: number, &differences[number])
        var place = path
        while !place.isEmpty {
            if let count = changedBelow[place] { changedBelow[place] = count + 1 }
            place.removeLastComponent()
        }
    }
}

extension SetDifference.Side {
    fileprivate init(_ archive: CatalogedArchive, _ manifest: Manifest) {
        self.init(
            repository: archive.repository.name, archive: archive.archive.name, runID: manifest.runID,
            startedAt: manifest.startedAt, bytes: manifest.bytes)
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

    fileprivate init(
        _ name: String, _ old: Manifest.DumpRecord?, _ new: Manifest.DumpRecord?, _ files: FileDifference,
        _ changedBelow: [FilePath: Int]
    ) {
        self.name = name
        self.files = files
        change = Change(old != nil, new != nil, differ: !files.isEmpty)
        (bytesBefore, bytesAfter) = (old?.bytesPutTogether, new?.bytesPutTogether)
        let (one, other) = (old?.byDatabase ?? [:], new?.byDatabase ?? [:])
        databases = Set(one.keys).union(other.keys).sorted().map { database in
            DatabaseDifference(database, one[database], other[database], changedBelow)
        }
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
        _ name: String, _ before: Place?, _ after: Place?, _ changedBelow: [FilePath: Int]
    ) {
        self.name = name
        filesChanged = Set([before?.path, after?.path].compactMap(\.self)).reduce(0) { $0 + (changedBelow[$1] ?? 0) }
        change = Change(before != nil, after != nil, differ: filesChanged > 0)
        let (old, new) = (before?.rows ?? [:], after?.rows ?? [:])
        rowsBefore = before.map { $0.rows.values.reduce(0, +) }
        rowsAfter = after.map { $0.rows.values.reduce(0, +) }
        tables = Set(old.keys).union(new.keys).filter { old[$0] != new[$0] }.sorted().map {
            TableDifference(schema: $0.schema, name: $0.name, rowsBefore: old[$0], rowsAfter: new[$0])
        }
    }

    fileprivate struct Place: Sendable {
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

extension Manifest {
    fileprivate func dump(_ name: String) -> DumpRecord? { dumps.first { $0.name == name } }
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
