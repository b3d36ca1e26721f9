import Checksums
import DumpCore
import Linux
import SystemPackage

/// Proves that a dump in directory format is whole, and reads each of its files once for that.
///
/// pg_restore alone does not: its `--list` accepts missing data files, and even a full conversion accepts cut ones.
struct ArchiveVerification {
    private let directory: FilePath
    /// What was dumped, such as `database 'shop'`.
    private let subject: String
    private let stop: StopSign
    private let found: ([FilePath.Component]) -> Void
    private let completed: (FilePath.Component, FileDigest, _ isOfTable: Bool) -> Void
    /// Files that an entry has accounted for.
    private var known = ArchiveFiles()
    private var archive = VerifiedArchive()
    /// Nil if no row can be wrong in it.
    private var encoding: TextEncoding?

    static let contentsFile: FilePath.Component = "toc.dat"

    private init(
        _ directory: FilePath, _ subject: String, _ stop: StopSign, _ found: @escaping ([FilePath.Component]) -> Void,
        _ completed: @escaping (FilePath.Component, FileDigest, Bool) -> Void
    ) {
        self.directory = directory
        self.subject = subject
        self.stop = stop
        self.found = found
        self.completed = completed
    }

    /// Blocks the thread for as long as it takes to read everything.
    ///
    /// - Parameters:
    ///   - found: told once of the files of all tables, before they are read.
    ///   - completed: told of each file once it was read. There may be one for each large object, and they are not kept.
    static func verify(
        _ directory: FilePath, of subject: String, against listing: ArchiveListing, stop: StopSign,
        found: @escaping ([FilePath.Component]) -> Void = { _ in },
        completed: @escaping (FilePath.Component, FileDigest, _ isOfTable: Bool) -> Void = { _, _, _ in }
    ) throws(DumpError) -> VerifiedArchive {
        var verification = ArchiveVerification(directory, subject, stop, found, completed)
        try verification.verify(against: listing)
        return verification.archive
    }

    private mutating func verify(against listing: ArchiveListing) throws(DumpError) {
        let contents = try readContents()
        try compare(contents, listing)
        encoding = TextEncoding(named: contents.encoding)
        archive.sequences = contents.sequences
        found(
            try contents.data.filter { $0.kind == "TABLE DATA" }.map { entry throws(DumpError) in
                try component(entry.file)
            })
        try scan(Self.contentsFile, of: "the table of contents")
        for entry in contents.data {
            switch entry.kind {
            case "TABLE DATA": try scanTable(entry)
            case "BLOBS": try scanLargeObjects(entry)
            default: try scan(try component(entry.file), of: entry.kind.lowercased())
            }
        }
        if let extra = try firstUnknown() {
            throw incomplete("its table of contents does not name the file \(extra)", extra)
        }
        archive.relations = contents.relations
        archive.tables.sort { ($0.schema, $0.name) < ($1.schema, $1.name) }
    }

    private func readContents() throws(DumpError) -> ArchiveContents {
        do {
            let contents = try ArchiveContents.read(directory.appending(Self.contentsFile))
            guard !contents.isCompressed else {
                throw incomplete("pg_dump compressed it although it was told not to", Self.contentsFile)
            }
            return contents
        } catch let error as DumpError {
            throw error
        } catch let error as ArchiveReader.UnknownVersion {
            throw DumpError(
                .programUnsuitable,
                "\(subject) was dumped in archive version \(error.version), which this Muster does not know",
                hint: "Update Muster, or set bin_directory to PostgreSQL \(Client.newestKnownMajor) or older.")
        } catch let error as ArchiveReader.Malformed {
            throw incomplete("its table of contents is not readable: \(error.reason)", Self.contentsFile)
        } catch {
            throw incomplete("its table of contents is not readable: \(error)", Self.contentsFile)
        }
    }

    private func compare(_ contents: ArchiveContents, _ listing: ArchiveListing) throws(DumpError) {
        let tableData = Set(contents.data.lazy.filter { $0.kind == "TABLE DATA" }.map(\.id))
        guard listing == ArchiveListing(entries: contents.entries, tableData: tableData) else {
            throw incomplete("pg_restore reads another table of contents than Muster does", Self.contentsFile)
        }
    }

    private func firstUnknown() throws(DumpError) -> FilePath.Component? {
        do {
            let opened = try OpenDirectory(directory)
            var names = SortedNames()
            while let name = try names.next(in: "", of: opened) {
                if !known.contains(name) { return name }
            }
            return nil
        } catch {
            throw DumpError(.system, "cannot list \(directory): \(error)", underlying: error)
        }
    }

    private mutating func scanTable(_ entry: ArchiveContents.DataEntry) throws(DumpError) {
        let name = try component(entry.file)
        let table = "table \(entry.schema).\(entry.name)"
        var inspector = CopyFileInspector()
        var text = encoding.map(EncodingInspector.init)
        let digest = try scan(name, of: table, isTable: true) {
            inspector.take($0)
            text?.take($0)
        }
        guard let rows = inspector.rows else {
            let fault = inspector.isEmpty ? "is empty" : "ends before its last line"
            throw incomplete("the data file \(name) of \(table) \(fault)", name)
        }
        archive.tablesWithRows.insert(entry.object)
        archive.tables.append(TableContents(schema: entry.schema, name: entry.name, rows: rows))
        archive.files.append(
            TableFile(
                table: TableName(entry), file: name, digest: digest, hasLongRows: inspector.hasLongRows))
        if let text, text.badLines > 0 { archive.misencoded.append((table, text.badLines)) }
    }

    /// The entry's file lists the objects, one `oid file` in a line. What an object holds has no mark at its end.
    private mutating func scanLargeObjects(_ entry: ArchiveContents.DataEntry) throws(DumpError) {
        let list = try component(entry.file)
        try scan(list, of: "large objects")
        do {
            let file = try FileDescriptor.open(
                directory.appending(list), .readOnly, options: [.noFollow, .closeOnExec])
            try file.closeAfter {
                var lines = ByteLines(file)
                while let line = try lines.next() { try scanLargeObject(line, of: list) }
            }
        } catch is ByteLines.CutOff {
            throw incomplete("the list of large objects \(list) is cut off", list)
        } catch let error as DumpError {
            throw error
        } catch {
            throw DumpError(ofReading: error)
        }
    }

    private mutating func scanLargeObject(
        _ line: ArraySlice<UInt8>, of list: FilePath.Component
    ) throws(DumpError) {
        let words = line.split(separator: UInt8(ascii: " ")).map { String(decoding: $0, as: UTF8.self) }
        guard words.count == 2 else { throw incomplete("the list of large objects \(list) is damaged", list) }
        try scan(try component(words[1]), of: "large object \(words[0])")
    }

    /// Reads a file that must be there, and that no other entry may have.
    @discardableResult
    private mutating func scan(
        _ name: FilePath.Component, of object: String, isTable: Bool = false,
        inspecting inspect: (UnsafeRawBufferPointer) -> Void = { _ in }
    ) throws(DumpError) -> FileDigest {
        do {
            let digest = try FileScan(directory.appending(name)).digest { chunk in
                try stop.checkVerification()
                inspect(chunk)
            }
            guard known.insert(name) else {
                throw incomplete("two entries of its table of contents have the data file \(name)", name)
            }
            completed(name, digest, isTable)
            return digest
        } catch let error as ChecksumError where error.underlying as? Errno == .noSuchFileOrDirectory {
            throw incomplete("the data file \(name) of \(object) is missing", name)
        } catch {
            throw DumpError(ofReading: error)
        }
    }

    private func component(_ name: String) throws(DumpError) -> FilePath.Component {
        guard let component = FilePath.Component(name), component.kind == .regular else {
            throw incomplete("its table of contents names the file '\(name)'", Self.contentsFile)
        }
        return component
    }

    private func incomplete(_ fault: String, _ file: FilePath.Component) -> DumpError {
        .incomplete(subject, fault, directory.appending(file))
    }
}

/// The file of a table's rows, as it was read.
struct TableFile: Sendable {
    var table: TableName
    var file: FilePath.Component
    var digest: FileDigest
    /// Whether a row has more than `CopyFileInspector.longRow` bytes.
    var hasLongRows: Bool
}

/// What a dump in directory format was found to hold.
struct VerifiedArchive: Sendable {
    var tables: [TableContents] = []
    /// Where the rows of `tables` are.
    var files: [TableFile] = []
    /// The OIDs of `tables`.
    var tablesWithRows: Set<UInt32> = []
    /// The OIDs of all relations whose definitions it holds.
    var relations: Set<UInt32> = []
    var sequences: [DumpedSequence] = []
    /// Tables with rows that are not valid in the encoding, and how many.
    var misencoded: [(table: String, rows: Int64)] = []
    /// Foreign keys that it makes without checking the rows.
    var markedKeys: Set<UInt32> = []

    func findings(about database: String) -> [Finding] {
        misencoded.map { table, rows in
            Finding(
                .warning, "rows_not_in_encoding", object: "\(database) \(table)",
                "\(counted(rows, "row")) of \(table) of database '\(database)' not valid in its encoding: no server takes them back",
                hint: "Fix them on the server; until then, a restore leaves that table empty.")
        }.abridged(in: database)
    }
}
