import Checksums
import Linux
import SystemPackage

/// An inventory in a file, read entry by entry, once the file is known to be the one that a manifest vouches for.
///
/// For one thread at a time.
public final class InventoryFile {
    private let file: FileDescriptor
    private var reader: InventoryReader

    /// Nil if the file has another digest. Throws `ChecksumError` or `Errno` for one that cannot be read.
    ///
    /// - Parameter sha256: 64 lower-case hex digits.
    public init?(at path: FilePath, sha256: String) throws {
        guard try FileScan(path).digest().sha256 == sha256 else { return nil }
        file = try FileDescriptor.open(path, .readOnly, options: [.noFollow, .closeOnExec])
        reader = InventoryReader(file)
    }

    // Nothing was written through it.
    deinit { try? file.close() }

    /// The next entry, or nil at the end. Throws as `InventoryReader` does.
    public func next() throws -> TreeEntry? { try reader.next() }
}
