import Glibc
import SystemPackage

extension FileSystem {
    /// A new file that is gone once it is closed, for reading and writing.
    public static func unnamedFile(in directory: FilePath) throws(Errno) -> FileDescriptor {
        let path = directory.appending(".spool-\(String(UInt64.random(in: .min ... .max), radix: 16))")
        do {
            let file = try FileDescriptor.open(
                path, .readWrite, options: [.create, .exclusiveCreate, .noFollow, .closeOnExec],
                permissions: .ownerReadWrite)
            try removeFile(path)
            return file
        } catch {
            throw error as? Errno ?? .ioError
        }
    }
}

extension FilePath {
    /// Where programs keep what need not outlive them and may be large: `TMPDIR`, or `/var/tmp`.
    public static var temporaryFiles: FilePath { getenv("TMPDIR").map { FilePath(String(cString: $0)) } ?? "/var/tmp" }
}
