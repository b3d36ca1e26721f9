import DumpCore
import Linux
import SystemPackage

/// A new file of mode 0600 that is written piece by piece. Not flushed to disk.
final class BufferedFile {
    let path: FilePath
    private let file: FileDescriptor
    private var piece: [UInt8] = []
    private(set) var bytes: Int64 = 0

    private static let size = 256 * 1024

    init(_ path: FilePath) throws(RowDeltaError) {
        self.path = path
        file = try attempting(.system, to: "create", path) { try FileSystem.createFile(path) }
        piece.reserveCapacity(Self.size)
    }

    // `finish` has written all of it, or it is of no use.
    deinit { try? file.close() }

    func write(_ bytes: UnsafeRawBufferPointer) throws(RowDeltaError) {
        self.bytes += Int64(bytes.count)
        guard bytes.count < Self.size else {
            try flush()
            return try attempting(.system, to: "write", path) { _ = try file.writeAll(bytes) }
        }
        piece.append(contentsOf: bytes)
        if piece.count >= Self.size { try flush() }
    }

    func write(_ bytes: [UInt8]) throws(RowDeltaError) {
        let outcome = bytes.withUnsafeBytes { bytes in
            Result { () throws(RowDeltaError) in try write(bytes) }
        }
        try outcome.get()
    }

    /// To be called once, as the last thing.
    func finish() throws(RowDeltaError) { try flush() }

    private func flush() throws(RowDeltaError) {
        guard !piece.isEmpty else { return }
        try attempting(.system, to: "write", path) { _ = try file.writeAll(piece) }
        piece.removeAll(keepingCapacity: true)
    }
}
