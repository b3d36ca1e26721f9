import CLinux
import Glibc
import SystemPackage

extension OpenDirectory {
    /// Proves that no process can write to our own file that programs of another user had open for writing.
    ///
    /// The directory and the file must be ours and closed to others by now, so that no process opens the file again. The kernel grants a
    /// read lease only while no process has the file open for writing, by a descriptor or a mapping. That includes one that was handed on:
    /// fcntl(2). If the file system has no leases, a copy that no other process ever had open replaces the file.
    ///
    /// Throws `ForeignFile` if another process has it open for writing.
    public func requireNoWriter(of name: FilePath) throws {
        guard let hasWriter = try withFile(name, { $0.hasWriter(patience: 200) }) else {
            return try replaceByCopy(name)
        }
        if hasWriter {
            throw ForeignFile(
                path.pushing(name), "is open for writing in another process, although its dump is complete")
        }
    }

    /// Puts a new file with the same bytes in the place of a file.
    func replaceByCopy(_ name: FilePath) throws {
        let draft = FilePath(root: nil, [FilePath.Component(".\(name.lastComponent?.string ?? "").copy")!])
        let new = try createFile(draft)
        do {
            try new.closeAfter {
                try withFile(name) { old in try old.copyBytes(to: new) }
            }
            try rename(draft, to: name)
        } catch {
            // The error at hand says more; what is left goes with the dump.
            try? remove(draft)
            throw error
        }
    }
}

extension FileDescriptor {
    /// Whether a process has our own file, which is open for reading here, open for writing. Nil where the file system has no leases.
    ///
    /// - Parameter patience: how often to look again, 5 ms later each time. A process that ends may still have it, and a program that is
    ///   just being started has all that its parent had open.
    public func hasWriter(patience: Int) -> Bool? {
        var answer = clinux_has_writer(rawValue)
        for _ in 0..<patience where answer == 1 {
            usleep(5000)
            answer = clinux_has_writer(rawValue)
        }
        return answer < 0 ? nil : answer == 1
    }

    /// Fills an empty file with the bytes of this one: shared where the file system can, else one by one.
    func copyBytes(to new: FileDescriptor) throws {
        do { return try clone(to: new) } catch {}  // Not every file system can do that.
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 * 1024, alignment: 4096)
        defer { buffer.deallocate() }
        while case let count = try read(into: buffer), count > 0 {
            _ = try new.writeAll(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
    }
}
