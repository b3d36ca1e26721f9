import Linux

/// How a file looked to `lstat(2)`. Only root can change a file and keep all of this: the kernel dates each change of its bytes, owner,
/// mode and names.
struct FileState: Sendable, Equatable {
    var inode: UInt64
    var bytes: Int64
    var modified: Int64
    var changed: Int64

    init(_ status: FileStatus) {
        (inode, bytes, modified, changed) = (status.inode, status.bytes, status.modified, status.changed)
    }

    /// Whether only what a further name for the file changes too is different.
    func holdsSameFile(as other: FileState) -> Bool {
        inode == other.inode && bytes == other.bytes && modified == other.modified
    }
}

extension FileState {
    /// Bytes of one that is written down: four numbers.
    static let size = 32

    func append(to bytes: inout [UInt8]) {
        for number in [Int64(bitPattern: inode), self.bytes, modified, changed] {
            withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
        }
    }

    /// - Parameter place: where one was appended.
    init(_ written: UnsafeRawBufferPointer, at place: Int) {
        let number = { (index: Int) in
            Int64(littleEndian: written.loadUnaligned(fromByteOffset: place + 8 * index, as: Int64.self))
        }
        (inode, bytes, modified, changed) = (UInt64(bitPattern: number(0)), number(1), number(2), number(3))
    }
}
