import DumpCore
import SystemPackage

/// All entries of an archive's table of contents, with what a restore needs to choose among them.
struct ArchiveEntries: Sendable {
    struct Entry: Sendable {
        var id: Int
        /// Such as `TABLE DATA`.
        var kind: String
        /// Its name, and for what belongs to a table the table's before it.
        var tag: String
        var schema: String
        /// Nil if it says none; empty is the database's own.
        var tablespace: String?
        var owner: String
        var dependencies: [Int]
        /// Where its data is.
        var file: String?
        /// What makes it, in the archive's encoding. Kept only where a restore reads it.
        var statement: [UInt8]?
    }

    var entries: [Entry] = []
    /// The encoding of all text, as PostgreSQL calls it.
    var encoding = "UTF8"

    /// Far more than any database has, and less than memory.
    static let sizeLimit: Int64 = 1 << 30

    static func read(_ path: FilePath) throws(DumpError) -> ArchiveEntries {
        do {
            let file = try FileDescriptor.open(path, .readOnly, options: [.noFollow, .closeOnExec])
            return try file.closeAfter { try read(from: file) }
        } catch {
            throw unreadable("\(path)", error)
        }
    }

    /// - Parameter name: what it is, for an error.
    static func read(_ bytes: [UInt8], _ name: String) throws(DumpError) -> ArchiveEntries {
        do {
            let file = try FileDescriptor.memoryFile(holding: bytes)
            return try file.closeAfter { try read(from: file) }
        } catch {
            throw unreadable(name, error)
        }
    }

    private static func unreadable(_ name: String, _ error: any Error) -> DumpError {
        let reason =
            switch error {
            case let error as ArchiveReader.Malformed: error.reason
            case let error as ArchiveReader.UnknownVersion: "archive version \(error.version)"
            default: "\(error)"
            }
        return DumpError(
            .incompleteDump, "cannot read the table of contents \(name): \(reason)",
            hint: "Restore another archive. If this one was made by a newer Muster, update Muster.", underlying: error)
    }

    private static func read(from file: FileDescriptor) throws -> ArchiveEntries {
        var reader = ArchiveReader(file)
        _ = try reader.readHeading()
        let count = try reader.integer()
        guard count >= 0 else { throw ArchiveReader.Malformed(reason: "a negative number of entries") }
        var contents = ArchiveEntries()
        for _ in 0..<count {
            let entry = try reader.readWholeEntry()
            if entry.kind == "ENCODING", let statement = entry.statement {
                let name = SQLStatement.all(in: statement).first?.tokens.last?.value
                contents.encoding = name.map { String(decoding: $0, as: UTF8.self) } ?? contents.encoding
            }
            contents.entries.append(entry)
        }
        return contents
    }
}

extension ArchiveEntries.Entry {
    /// Whether it is about the database as a whole: pg_restore leaves it out unless it creates the database itself.
    var isOfDatabase: Bool {
        switch kind {
        case "DATABASE", "DATABASE PROPERTIES": true
        case "ACL", "COMMENT", "SECURITY LABEL": tag.hasBytePrefix("DATABASE ")
        default: false
        }
    }
}

extension ArchiveReader {
    private static let kindsWithStatement: Set = [
        "ENCODING", "DATABASE", "DATABASE PROPERTIES", "ACL", "DEFAULT ACL", "COMMENT", "SECURITY LABEL", "POLICY",
    ]
    private static let longestStatement = 1 << 20

    fileprivate mutating func readWholeEntry() throws -> ArchiveEntries.Entry {
        let id = try integer()
        _ = try integer()  // whether it had data
        for _ in 0..<2 { _ = try oid() }
        let tag = try text() ?? ""
        let kind = try text() ?? ""
        _ = try integer()  // section
        let isKept = Self.kindsWithStatement.contains(kind)
        let statement = isKept ? try rawText(atMost: Self.longestStatement) : nil
        if !isKept { try skipText() }
        for _ in 0..<2 { try skipText() }  // DROP, COPY
        let schema = try text() ?? ""
        let tablespace = try text()
        if minor >= 14 { try skipText() }  // table access method
        if minor >= 16 { _ = try integer() }  // kind of relation
        let owner = try text() ?? ""
        try skipText()  // with OIDs
        var dependencies: [Int] = []
        while let dependency = try text() { dependencies += Int(dependency).map { [$0] } ?? [] }
        let file = try text()
        return ArchiveEntries.Entry(
            id: id, kind: kind, tag: tag, schema: schema, tablespace: tablespace, owner: owner,
            dependencies: dependencies, file: file?.isEmpty == true ? nil : file, statement: statement)
    }
}
