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
            { $0.add("f", type: "7") },
            { $0.add("f", type: "V") },
            { $0.add("f", type: "D", content: "x") },
            { $0.add("g", type: "g", content: "20 path=../victim/x\n") },
            {
                $0.addExtended([("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.realsize", "1")])
                $0.add("f")
            },
            {
                $0.addExtended([("size", "6")])
                $0.add("f", content: "hello")
            },
            {
                $0.addExtended([("mtime", "inf")])
                $0.add("f")
            },
            {
                for _ in 0..<9 { $0.addExtended([("path", "a")]) }
                $0.add("f")
            },
            {
                $0.addLong("a")
                $0.end()
            },
            {
                $0.end()
                $0.add("f", content: "after the end")
            },
            { $0.add("d", type: "5", content: "x") },
        ]
        for (number, make) in streams.enumerated() {
            var stream = TarStream()
            make(&stream)
            stream.end()
            #expect(throws: TarError.self, "\(number)") { try Self.read(stream.bytes) }
        }
        var stream = TarStream()
        stream.add("f", content: "x")
        for cut in [0, 1, 511, 512, 1000, 1024] {
            #expect(throws: TarError.cutOff, "\(cut)") { try Self.read(Array(stream.bytes.prefix(cut))) }
        }
    }

    @Test(
        "that Python's tarfile writes for Borg, in either format, is read as it was meant", arguments: ["GNU", "PAX"])
    func oracle(format: String) async throws {
        try await withScratch { scratch in
            let path = scratch.appending("stream")
            try await output("/usr/bin/python3", "-c", Self.python, path.string, format)
            let file = try FileDescriptor.open(path, .readOnly)
            let entries = try file.closeAfter {
                var reader = TarReader(file)
                var entries: [TarEntry] = []
                do {
                    while let entry = try reader.next() { entries.append(entry) }
                } catch let error as TarError where error == .cutOff {}
                return entries
            }
            let isPAX = format == "PAX"
            let deep = Array(String(repeating: "d/", count: 400).utf8)
            #expect(
                entries.map(\.kind) == [
                    .directory, .file, .hardLink, .symbolicLink, .file, .characterDevice, .fifo, .file,
                ])
            #expect(entries[0].path == deep && entries[0].mode == 0o2755)
            #expect(entries[1].path == deep + [0x66, 0xFF, 0x0A] && entries[1].bytes == 5)
            // What Python writes of it is a floating-point number.
            let quarter = (isPAX ? 1_700_000_000_250_000_000 : 1_700_000_000_000_000_000) - entries[1].modified
            #expect(abs(quarter) < 256)
            #expect((entries[1].uid, entries[1].gid) == (4_000_000_000, 3_000_000))
            #expect(entries[2].path == [0x68] && entries[2].target == entries[1].path && entries[2].bytes == 0)
            #expect(entries[3].target == [UInt8](repeating: 0x74, count: 300) + [0xFE])
            #expect(entries[4].modified == (isPAX ? -1_500_000_000 : -2_000_000_000))
            #expect(entries[5].device == (240, 70_000))
            // Beyond what twelve octal digits hold: the stream ends where its contents would begin.
            #expect(entries[7].path == Array("large".utf8) && entries[7].bytes == 9 << 30)
        }
    }

    private static let python = #"""
        import io, sys, tarfile
        format = getattr(tarfile, sys.argv[2] + '_FORMAT')
        out = open(sys.argv[1], 'wb')
        t = tarfile.open(fileobj=out, mode='w|', format=format, encoding='utf-8', errors='surrogateescape')
        def add(name, kind, content=None, **facts):
            i = tarfile.TarInfo(name)
            i.type = kind
            for key, value in facts.items(): setattr(i, key, value)
            if content is not None: i.size = len(content)
            if format == tarfile.PAX_FORMAT:
                i.pax_headers = {'atime': '1e-09', 'SCHILY.xattr.user.a=b': 'c=d\n\udcff', 'SCHILY.acl.access': 'u::rwx'}
            t.addfile(i, None if content is None else io.BytesIO(content))
        deep = 'd/' * 400
        add(deep, tarfile.DIRTYPE, mode=0o2755)
        add(deep + 'f\udcff\n', tarfile.REGTYPE, b'hello', mtime=1700000000.25, uid=4000000000, gid=3000000)
        add('h', tarfile.LNKTYPE, linkname=deep + 'f\udcff\n')
        add('s', tarfile.SYMTYPE, linkname='t' * 300 + '\udcfe')
        add('old', tarfile.REGTYPE, b'', mtime=-1.5 if format == tarfile.PAX_FORMAT else -2)
        add('device', tarfile.CHRTYPE, devmajor=240, devminor=70000)
        add('fifo', tarfile.FIFOTYPE)
        large = tarfile.TarInfo('large')
        large.size = 9 << 30
        buffer = large.tobuf(format, 'utf-8', 'surrogateescape')
        t.fileobj.write(buffer)
        t.fileobj.close()
        """#

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
