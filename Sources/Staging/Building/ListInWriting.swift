import Checksums
import DumpCore
import Linux
import SystemPackage

/// The list of a dump's files, written line by line.
///
/// For one thread at a time.
final class ListInWriting {
    private let path: FilePath
    private let file: FileDescriptor
    private let hash: SHA256
    private var piece: [UInt8] = []
    private var summary: WrittenList

    /// What was written.
    struct WrittenList: Sendable {
        var checksums: Manifest.Checksums
        var files = 0
        var bytes: Int64 = 0
    }

    /// A new file of mode 0600, not flushed.
    init(ofDump name: String, in root: FilePath) throws(StagingError) {
        let place = SetLayout.checksums(ofDump: name)
        let path = root.pushing(place)
        self.path = path
        file = try attempting(to: "write", path) { try FileSystem.createFile(path) }
        hash = try attempting(to: "hash", path) { try SHA256() }
        summary = WrittenList(checksums: Manifest.Checksums(path: place.string, sha256: ""))
    }

    // `finish` has written all of it, or the set is discarded.
    deinit { try? file.close() }

    func add(_ path: FilePath, _ sha256: String, _ bytes: Int64) throws(StagingError) {
        piece += ChecksumList.Line(sha256: sha256, path: path).bytes
        summary.files += 1
        summary.bytes += bytes
        if piece.count >= 128 * 1024 { try write() }
    }

    /// To be called once, as the last thing.
    func finish() throws(StagingError) -> WrittenList {
        try write()
        summary.checksums.sha256 = try attempting(to: "hash", path) { try hash.finish() }
        return summary
    }

    private func write() throws(StagingError) {
        try attempting(to: "write", path, needed: Int64(piece.count)) {
            _ = try file.writeAll(piece)
            try piece.withUnsafeBytes { try hash.update($0) }
        }
        piece.removeAll(keepingCapacity: true)
    }
}
