import DumpCore
import Linux
import SystemPackage

/// A new file of mode 0600 that is written piece by piece. Not flushed to disk.
final class BufferedFile {
    let path: FilePath
    private let file: FileDescriptor
    private var pieces = CollectedPieces()
    private(set) var bytes: Int64 = 0

    init(_ path: FilePath) throws(RowDeltaError) {
        self.path = path
        file = try attempting(.system, to: "create", path) { try FileSystem.createFile(path) }
    }

    // `finish` has written all of it, or it is of no use.
    deinit { try? file.close() }

    func write(_ bytes: UnsafeRawBufferPointer) throws(RowDeltaError) {
        self.bytes += Int64(bytes.count)
        try pieces.take(bytes, passing: pass)
    }

    func write(_ bytes: [UInt8]) throws(RowDeltaError) {
        let outcome = bytes.withUnsafeBytes { bytes in
            Result { () throws(RowDeltaError) in try write(bytes) }
        }
        try outcome.get()
    }

    /// To be called once, as the last thing.
    func finish() throws(RowDeltaError) { try pieces.flush(passing: pass) }

    private func pass(_ bytes: UnsafeRawBufferPointer) throws(RowDeltaError) {
        try attempting(.system, to: "write", path) { _ = try file.writeAll(bytes) }
    }
}
