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
        let answer = try withFile(name) { file in
            var answer = clinux_has_writer(file.rawValue)
            // One that is ending at this moment is waited for, and a program that is just being started: it still has all that its parent had open.
            for _ in 0..<200 where answer == 1 {
                usleep(5000)
                answer = clinux_has_writer(file.rawValue)
            }
            return answer
        }
        if answer == 1 {
            throw ForeignFile(
                path.pushing(name), "is open for writing in another process, although its dump is complete")
        }
        if answer < 0 { try replaceByCopy(name) }
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
