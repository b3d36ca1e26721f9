import Glibc
import SystemPackage

extension FileSystem {
    /// A new empty file that only its owner may read and write, open for both. Throws `Errno.fileExists` when the name is taken, by a link too.
    public static func createFile(_ path: FilePath) throws(Errno) -> FileDescriptor {
        do {
            return try FileDescriptor.open(
                path, .readWrite, options: [.create, .exclusiveCreate, .noFollow, .closeOnExec],
                permissions: .ownerReadWrite)
        } catch {
            throw error as? Errno ?? .ioError
        }
    }

    /// A new file that is gone once it is closed, for reading and writing.
    public static func unnamedFile(in directory: FilePath) throws(Errno) -> FileDescriptor {
        let path = directory.appending(".spool-\(String(UInt64.random(in: .min ... .max), radix: 16))")
        let file = try createFile(path)
        try removeFile(path)
        return file
    }
}

extension FilePath {
    /// Where programs keep what need not outlive them and may be large: `TMPDIR`, or `/var/tmp`.
    public static var temporaryFiles: FilePath { getenv("TMPDIR").map { FilePath(String(cString: $0)) } ?? "/var/tmp" }
}
