import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@Suite("A file that is read as a whole")
struct FileReadingTests {
    @Test("has all its bytes, or as many as were asked for", arguments: [0, 1, 65_536, 200_000])
    func bytes(count: Int) async throws {
        try await withScratch { scratch in
            let path = scratch.appending("file")
            try write(String(repeating: "x", count: count), to: path)
            #expect(try FileSystem.bytes(of: path).count == count)
            #expect(try FileSystem.bytes(of: path, atMost: 100).count == min(count, 100))
        }
    }

    @Test("may be one of /proc, which has no size")
    func kernel() throws {
        #expect(try FileSystem.bytes(of: "/proc/self/mountinfo").last == UInt8(ascii: "\n"))
    }

    @Test("is followed through links, and no FIFO is waited for")
    func kinds() async throws {
        try await withScratch { scratch in
            try write("text", to: scratch.appending("file"))
            symlink("file", scratch.appending("link").string)
            #expect(try FileSystem.bytes(of: scratch.appending("link")) == Array("text".utf8))
            mkfifo(scratch.appending("fifo").string, 0o600)
            #expect(throws: Errno.illegalSeek) { try FileSystem.bytes(of: scratch.appending("fifo")) }
            #expect(throws: Errno.isDirectory) { try FileSystem.bytes(of: scratch) }
            #expect(throws: Errno.noSuchFileOrDirectory) { try FileSystem.bytes(of: scratch.appending("nothing")) }
        }
    }
}
