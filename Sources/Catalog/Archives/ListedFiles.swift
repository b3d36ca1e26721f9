import Borg
import Checksums
import DumpCore
import SystemPackage
import Trees

/// The files of an archived set with their digests, as the lists of its dumps have them. Memory does not grow with their number.
struct ListedFiles: Sendable {
    private let spool: PathSpool

    /// Reads the lists out of the archive. Throws `.notVerified` unless all are what was sealed.
    init(of archive: CatalogedArchive, _ manifest: Manifest) async throws {
        let spool = PathSpool(in: .temporaryFiles)
        let tables = manifest.tablesOfRows
        let lists = manifest.dumps.map { FilePath($0.checksums.path) }
        let name = archive.archive.name
        let digests = try await archive.repository.export(archive.archive, lists) { reader in
            do {
                return try Self.read(&reader, into: spool, without: Set(tables.map(\.rows)))
            } catch let error as TarError {
                throw ArchiveError(.notVerified, "Borg's stream of archive '\(name)' cannot be understood: \(error)")
            }
        }
        if let other = manifest.dumps.first(where: { digests[FilePath($0.checksums.path).bytes] != $0.checksums.sha256 }
        ) {
            throw Self.notSealed(other, archive)
        }
        for table in tables { try spool.keep(table.file, table.sha256) }
        self.spool = spool
    }

    /// In the order of `TreeEntry.precedes`.
    func sorted() -> Reader { Reader(records: spool.sorted()) }

    /// For one thread at a time.
    struct Reader {
        fileprivate var records: PathSpoolReader

        mutating func next() throws -> (path: FilePath, sha256: [UInt8])? {
            try records.next().map { ($0.path, $0.value) }
        }
    }

    /// - Parameter rows: directories whose files stand for a table that counts as one file.
    /// - Returns: the digests of the lists, by their paths.
    private static func read(
        _ reader: inout TarReader, into spool: PathSpool, without rows: Set<FilePath>
    ) throws -> [[UInt8]: String] {
        var digests: [[UInt8]: String] = [:]
        var buffer = [UInt8](repeating: 0, count: 256 * 1024)
        while let entry = try reader.next() {
            guard entry.kind == .file else { continue }
            let hash = try SHA256()
            var lines = ListLines()
            while case let count = try buffer.withUnsafeMutableBytes({ try reader.read(into: $0) }), count > 0 {
                try buffer.withUnsafeBytes { try hash.update(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
                try lines.take(buffer[..<count]) { line in
                    guard !rows.contains(line.path.removingLastComponent()) else { return }
                    try spool.keep(line.path, line.sha256)
                }
            }
            // What was not understood is no list that the manifest vouches for.
            digests[entry.path] = lines.areUnderstood ? try hash.finish() : nil
        }
        return digests
    }

    private static func notSealed(_ dump: Manifest.DumpRecord, _ archive: CatalogedArchive) -> ArchiveError {
        ArchiveError(
            .notVerified,
            "\(dump.checksums.path) in archive '\(archive.archive.name)' of repository '\(archive.repository.name)' is not the list that the manifest vouches for",
            hint: "What that archive holds of dump '\(dump.name)' is not known. Compare with another archive.")
    }
}

/// The lines of a list that comes in pieces.
private struct ListLines {
    private var rest: [UInt8] = []
    private var isMalformed = false

    /// No path has as many bytes, however it is written.
    private static let longest = 64 * 1024

    var areUnderstood: Bool { !isMalformed && rest.isEmpty }

    mutating func take(_ piece: ArraySlice<UInt8>, _ body: (ChecksumList.Line) throws -> Void) throws {
        guard !isMalformed else { return }
        var piece = piece
        while let end = piece.firstIndex(of: UInt8(ascii: "\n")) {
            let bytes = rest.isEmpty ? piece[..<end] : (rest + piece[..<end])[...]
            rest = []
            piece = piece[(end + 1)...]
            guard let line = ChecksumList.Line(parsing: bytes) else {
                isMalformed = true
                return
            }
            try body(line)
        }
        rest += piece
        if rest.count > Self.longest { isMalformed = true }
    }
}

extension PathSpool {
    /// Tells what to do where there is no room.
    fileprivate func keep(_ path: FilePath, _ sha256: String) throws(ArchiveError) {
        try keep(path.bytes, Array(sha256.utf8))
    }

    func keep(_ path: [UInt8], _ value: [UInt8]) throws(ArchiveError) {
        do throws(Errno) {
            try add(path, value)
        } catch {
            throw ArchiveError(
                error == .noSpace || error == .diskQuotaExceeded ? .noSpace : .system,
                "cannot keep lists of files in \(FilePath.temporaryFiles): \(error)",
                hint: "Name a directory with more room: TMPDIR=/path/of/a/directory muster …", underlying: error)
        }
    }
}

extension Manifest {
    /// Tables that are stored as rows, each of which counts as the file that it is put together to; paths relative to the set.
    fileprivate var tablesOfRows: [(rows: FilePath, file: FilePath, sha256: String)] {
        dumps.flatMap { dump in
            dump.databases.rowFiles.map {
                (dump.directory.pushing($0.rows), dump.directory.pushing($0.file), $0.table.sha256)
            }
        }
    }
}
