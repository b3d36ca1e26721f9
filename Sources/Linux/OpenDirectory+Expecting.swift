import Glibc
import SystemPackage

extension OpenDirectory {
    /// Holds a directory below to what it is now: whatever else comes to its place from now on counts as gone. So does, once this was
    /// called, each directory below for which it was not.
    ///
    /// The owner of a directory can exchange those in it, even one that he may not enter. What is read there is never recorded under the
    /// owner and mode of the other.
    public func expect(_ directory: FilePath, _ status: FileStatus) {
        // What was opened before may be another one.
        forget(directory)
        _ = expected.withLock { $0.insert(Self.expectation(directory.bytesWithNUL, FileNumber(status))) }
    }

    /// Throws `Errno.noSuchFileOrDirectory` if a directory that was opened is another one than expected.
    func requireExpected(_ path: [CChar], _ opened: FileDescriptor) throws(Errno) {
        guard path != [0], !expected.withLock({ $0.isEmpty }) else { return }
        let found = Self.expectation(path, FileNumber(try FileSystem.status(of: opened)))
        guard expected.withLock({ $0.contains(found) }) else { throw .noSuchFileOrDirectory }
    }

    /// Seeded at random for each process: no user can search for another directory with the same hash.
    private static func expectation(_ path: [CChar], _ number: FileNumber) -> Int {
        var hasher = Hasher()
        hasher.combine(path)
        hasher.combine(number)
        return hasher.finalize()
    }

    /// Closes what was opened when `check` throws.
    func closing(_ opened: FileDescriptor, _ check: (FileDescriptor) throws(Errno) -> Void) throws(Errno) {
        do throws(Errno) {
            try check(opened)
        } catch {
            // Nothing was written through it.
            try? opened.close()
            throw error
        }
    }
}

/// Which file it is, whatever its name.
public struct FileNumber: Sendable, Hashable {
    public let device: UInt64
    public let inode: UInt64

    public init(_ status: FileStatus) { (device, inode) = (status.device, status.inode) }
}

extension FilePath {
    var bytesWithNUL: [CChar] { withPlatformString { Array(UnsafeBufferPointer(start: $0, count: strlen($0) + 1)) } }
}
