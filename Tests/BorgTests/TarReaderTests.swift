import Linux
import SystemPackage
import TestSupport
import Testing

@testable import Borg

@Suite("A tar stream")
struct TarReaderTests {
    @Test("is read whatever its names are, and to the byte")
    func entries() throws {
        var stream = TarStream()
        let long = String(repeating: "d/", count: 300) + "f"
        stream.add("docs/", type: "5", mode: "0000750")
        stream.addLong(long)
        stream.add("cut", content: "hello", owner: "0010145")
        stream.addLong(long, isTarget: true)
        stream.add("second", type: "1", target: "cut")
        stream.addExtended([
            ("path", "é\n"), ("mtime", "1.5"), ("uid", "4000000000"), ("SCHILY.xattr.user.x", "a=b\nc"),
        ])
        stream.add("short", type: "2", target: "../x")
        stream.add("far", content: "x", time: [0xFF] + [UInt8](repeating: 0xFF, count: 10) + [0xFE])
        stream.end()
        let entries = try Self.read(stream.bytes)
        #expect(entries.map { String(decoding: $0.path, as: UTF8.self) } == ["docs/", long, "second", "é\n", "far"])
        #expect(entries.map(\.kind) == [.directory, .file, .hardLink, .symbolicLink, .file])
        #expect(entries[1].bytes == 5 && entries[1].uid == 0o10145 && entries[0].mode == 0o750)
        #expect(entries[2].target == Array(long.utf8) && entries[3].target == Array("../x".utf8))
        #expect(entries[3].modified == 1_500_000_000 && entries[3].uid == 4_000_000_000)
        #expect(entries[4].modified == -2_000_000_000)
    }

    @Test("that nobody should write is an error, and takes neither the process nor its memory with it")
    func malformed() throws {
        let huge: [UInt8] = [0x80, 0, 0, 0, 0x7F] + [UInt8](repeating: 0xFF, count: 7)
        let streams: [(inout TarStream) -> Void] = [
            { $0.add("f", size: huge) },
            { $0.add("f", size: [UInt8](repeating: 0xFF, count: 12)) },
            { $0.add("f", size: [0x80] + [UInt8](repeating: 0xFF, count: 11)) },
            { $0.add("f", size: Array("99999999999".utf8)) },
            { $0.add("f", content: "x", owner: "7777777\u{7F}") },
            { $0.add("l", type: "L", size: huge) },
            { $0.add("x", type: "x", size: huge) },
            {
                $0.addExtended([("path", "a")], declaring: 999)
                $0.add("f")
            },
            {
                $0.addExtended([("path", "a")], declaring: 1)
                $0.add("f")
            },
            {
                $0.addExtended([("path", "a")], declaring: -5)
                $0.add("f")
            },
            {
                $0.addExtended([("size", "9223372036854775807")])
                $0.add("f")
            },
            {
                $0.addExtended([("size", "-1")])
                $0.add("f")
            },
            {
                $0.addExtended([("uid", "-1")])
                $0.add("f")
            },
            {
                $0.addExtended([("uid", "99999999999999999999")])
                $0.add("f")
            },
            {
                $0.addExtended([("mtime", "x")])
                $0.add("f")
            },
            { $0.add("f", type: "S") },
            { $0.add("d", type: "5", content: "x") },
            { $0.add("f", content: "x") },
            { _ in },
        ]
        for (number, make) in streams.enumerated() {
            var stream = TarStream()
            make(&stream)
            #expect(throws: (any Error).self, "\(number)") { try Self.read(stream.bytes) }
        }
    }

    @Test("of which any byte was changed, or the end cut off, is read or refused")
    func mutated() throws {
        var stream = TarStream()
        stream.addLong(String(repeating: "n", count: 200))
        stream.add("f", content: "hello")
        stream.addExtended([("path", "abc"), ("mtime", "1.5")])
        stream.add("g", type: "2", target: "x")
        stream.end()
        var random = SystemRandomNumberGenerator()
        for _ in 0..<3000 {
            var bytes = stream.bytes
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: bytes.indices, using: &random)] = .random(in: 0...255)
            }
            _ = try? Self.read(bytes)
            _ = try? Self.read(Array(stream.bytes.prefix(Int.random(in: stream.bytes.indices, using: &random))))
        }
    }

    private static func read(_ bytes: [UInt8]) throws -> [TarEntry] {
        let file = try FileDescriptor.memoryFile(holding: bytes)
        return try file.closeAfter {
            try file.seek(offset: 0, from: .start)
            var reader = TarReader(file)
            var entries: [TarEntry] = []
            while let entry = try reader.next() { entries.append(entry) }
            return entries
        }
    }
}
