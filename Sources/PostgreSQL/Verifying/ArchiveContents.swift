import DumpCore
import SystemPackage

/// The table of contents of a dump in directory format, as `toc.dat` holds it.
///
/// The output of `pg_restore --list` leaves open which file an entry's data is in, and where a table's name ends and the next word begins.
/// The file itself says both. Its format is that of `WriteHead` and `WriteToc` in PostgreSQL's `pg_backup_archiver.c`, archive versions
/// 1.13 (PostgreSQL 11) to 1.16 (17 to 19).
struct ArchiveContents: Sendable, Equatable {
    /// An entry whose data is in a file of its own.
    struct DataEntry: Sendable, Equatable {
        var id: Int
        /// The OID of what the data belongs to.
        var object: UInt32
        /// What it is, such as `TABLE DATA`.
        var kind: String
        var schema: String
        var name: String
        var file: String
    }

    /// How many entries there are, with data or without.
    var entries: Int
    var data: [DataEntry]
    /// The OIDs of all relations that are defined: tables, views, sequences and so on.
    var relations: Set<UInt32>
    var isCompressed: Bool
    /// The encoding of all text, as PostgreSQL calls it.
    var encoding = ""
    var sequences: [DumpedSequence] = []
    /// Where the statements are in the file that grant and revoke.
    var grants: [Range<Int>] = []
    /// Where the statements are that make foreign keys, by the OIDs of those.
    var foreignKeys: [UInt32: Range<Int>] = [:]

    /// The OID of `pg_class` itself, which a relation's definition is marked with (`RelationRelationId`).
    fileprivate static let catalogOfRelations: UInt32 = 1259

    /// Reads `toc.dat` to its end. Throws when it is cut, of another version, or holds more than it should.
    static func read(_ path: FilePath) throws -> ArchiveContents {
        let file = try FileDescriptor.open(path, .readOnly, options: [.noFollow, .closeOnExec])
        return try file.closeAfter {
            var reader = ArchiveReader(file)
            let isCompressed = try reader.readHeading()
            let count = try reader.integer()
            guard count >= 0 else { throw ArchiveReader.Malformed(reason: "a negative number of entries") }
            var contents = ArchiveContents(entries: count, data: [], relations: [], isCompressed: isCompressed)
            for _ in 0..<count { try reader.readEntry(into: &contents) }
            guard try reader.isAtEnd() else { throw ArchiveReader.Malformed(reason: "more than its entries") }
            return contents
        }
    }
}

extension ArchiveContents {
    /// What stands in the statements of two kinds of entries.
    fileprivate mutating func note(_ kind: String, _ schema: String, _ name: String, _ statement: String) {
        if kind == "ENCODING" {
            encoding = statement.firstMatch(of: /client_encoding = '([^']*)'/).map { String($0.1) } ?? ""
        } else if let sequence = DumpedSequence(schema: schema, name: name, statement: statement) {
            sequences.append(sequence)
        }
    }
}

extension ArchiveReader {
    /// The heading up to the number of entries. Returns whether the data is compressed.
    mutating func readHeading() throws -> Bool {
        guard try bytes(5) == Array("PGDMP".utf8) else { throw Malformed(reason: "no archive of pg_dump") }
        let (major, minor, _) = (try byte(), try byte(), try byte())
        guard major == 1, (13...16).contains(minor) else { throw UnknownVersion(version: "\(major).\(minor)") }
        self.minor = Int(minor)
        integerSize = Int(try byte())
        guard (1...8).contains(integerSize) else { throw Malformed(reason: "integers of \(integerSize) bytes") }
        _ = try byte()  // size of file offsets
        _ = try byte()  // format
        let compression = self.minor >= 15 ? Int(try byte()) : try integer()
        for _ in 0..<7 { _ = try integer() }  // time of creation
        for _ in 0..<3 { try skipText() }  // database, version of the server, version of pg_dump
        return compression != 0
    }

    fileprivate mutating func readEntry(into contents: inout ArchiveContents) throws {
        let id = try integer()
        _ = try integer()  // whether it had data
        let catalog = try oid()
        let object = try oid()
        if catalog == ArchiveContents.catalogOfRelations { contents.relations.insert(object) }
        let name = try text()
        let kind = try text()
        _ = try integer()  // section
        // CREATE, which may be of any length
        let statement = kind == "ENCODING" || kind == "SEQUENCE SET" ? try text() : nil
        let start = offset + integerSize + 1
        if statement == nil { try skipText() }
        if kind == "ACL" || kind == "DEFAULT ACL", offset > start { contents.grants.append(start..<offset) }
        if kind == "FK CONSTRAINT", offset > start { contents.foreignKeys[object] = start..<offset }
        for _ in 0..<2 { try skipText() }  // DROP, COPY
        let schema = try text()
        try skipText()  // tablespace
        if minor >= 14 { try skipText() }  // table access method
        if minor >= 16 { _ = try integer() }  // kind of relation
        for _ in 0..<2 { try skipText() }  // owner, with OIDs
        while try skipText() {}  // dependencies, ended by an absent one
        if let statement { contents.note(kind ?? "", schema ?? "", name ?? "", statement) }
        guard let file = try text(), !file.isEmpty else { return }
        contents.data.append(
            ArchiveContents.DataEntry(
                id: id, object: object, kind: kind ?? "", schema: schema ?? "", name: name ?? "", file: file))
    }

    /// An OID, which is kept as a text.
    mutating func oid() throws -> UInt32 {
        guard let oid = UInt32(try text() ?? "") else { throw Malformed(reason: "an object without an OID") }
        return oid
    }
}
