import Linux
import SystemPackage

/// A list of checksums in a file, read line by line in constant memory.
///
/// For one thread at a time.
public final class ChecksumListFile {
    private let path: FilePath
    private let file: FileDescriptor
    private var lines: ByteLines
    private var number = 0

    /// Nil if nothing is there. A symbolic link is not followed.
    public init?(_ path: FilePath) throws(ChecksumError) {
        self.path = path
        do {
            file = try FileSystem.openToRead(path)
        } catch Errno.noSuchFileOrDirectory {
            return nil
        } catch {
            throw ChecksumError(.cannotRead, "cannot read \(path): \(error)", underlying: error)
        }
        lines = ByteLines(file)
        guard (try? FileSystem.status(of: file).kind) == .file else {
            throw ChecksumError(.notAFile, "\(path) is not a regular file")
        }
    }

    // Nothing was written through it.
    deinit { try? file.close() }

    /// The next line, or nil at the end. Throws as `ChecksumList(parsing:)` does, but does not see that a path is there twice.
    public func next() throws(ChecksumError) -> ChecksumList.Line? {
        number += 1
        do {
            guard let bytes = try lines.next() else { return nil }
            guard let line = ChecksumList.Line(parsing: bytes) else {
                throw ChecksumList.malformed(number, "is not a SHA-256, two spaces and a path")
            }
            return line
        } catch let error as ChecksumError {
            throw error
        } catch is ByteLines.CutOff {
            throw ChecksumList.malformed(number, "has no end: the list was cut off")
        } catch {
            throw ChecksumError(.cannotRead, "cannot read \(path): \(error)", underlying: error)
        }
    }
}
