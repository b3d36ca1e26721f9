import CLinux
import SystemPackage

extension FileDescriptor {
    /// A file in memory that no path leads to, to be read from its begin. It stays open across `execve(2)`.
    ///
    /// Only processes that have its descriptor, or may look into such a process, can read it.
    public static func memoryFile(holding bytes: [UInt8]) throws -> FileDescriptor {
        let result = clinux_memory_file("secret")
        guard result >= 0 else { throw Errno(rawValue: -result) }
        let file = FileDescriptor(rawValue: result)
        do {
            try file.writeAll(bytes)
            try file.seek(offset: 0, from: .start)
        } catch {
            try? file.close()
            throw error
        }
        return file
    }
}
