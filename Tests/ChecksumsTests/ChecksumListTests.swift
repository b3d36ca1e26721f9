import Checksums
import Linux
import SystemPackage
import TestSupport
import Testing

@Suite("Checksum list")
struct ChecksumListTests {
    private static let names: [[UInt8]] =
        [
            "plain", "with space", " leading", "back\\slash", "new\nline", "end\r", "\\n", "\u{E9}", "-x", "*star",
            "a/b c",
        ]
        .map { Array($0.utf8) } + [[0x66, 0xFF, 0xFE]]

    @Test("sha256sum -c accepts what is written, for every kind of name")
    func written() async throws {
        try await withScratch { scratch in
            try FileSystem.createDirectory(scratch.appending("a"))
            var list = ChecksumList()
            for name in Self.names {
                let path = try #require(filePath(name))
                try write("content of \(path)", to: scratch.pushing(path))
                let digest = try FileScan(scratch.pushing(path)).digest()
                list.lines.append(.init(sha256: digest.sha256, path: path))
            }
            try write(list, to: scratch.appending("list"))
            let check = try await runProgram("sha256sum", ["--check", "--strict", "--quiet", "list"], in: scratch)
            #expect(check.succeeded, "\(check.lastErrors)")
            #expect(check.output.isEmpty)
            try write("changed", to: scratch.appending("back\\slash"))
            let failed = try await runProgram("sha256sum", ["--check", "--strict", "--quiet", "list"], in: scratch)
            #expect(failed.status == .exited(1))
        }
    }

    @Test("What sha256sum writes is read, and is what we would have written")
    func read() async throws {
        try await withScratch { scratch in
            try FileSystem.createDirectory(scratch.appending("a"))
            for name in Self.names { try write("x", to: scratch.pushing(try #require(filePath(name)))) }
            let listed = try await runProgram(
                "sh", ["-c", "find . -type f -printf '%P\\0' | xargs -0 sha256sum --"], in: scratch)
            let list = try ChecksumList(parsing: listed.output)
            #expect(Set(list.lines.map(\.path)) == Set(Self.names.compactMap(filePath)))
            #expect(list.bytes == listed.output)
            for line in list.lines {
                #expect(try ChecksumList.sha256(of: line.path, in: listed.output) == line.sha256)
            }
            #expect(try ChecksumList.sha256(of: "nothing", in: listed.output) == nil)
        }
    }

    @Test(
        "Anything else is refused, and the line is named",
        arguments: [
            ("\(digest)  a", "line 1 has no end: the list was cut off"),
            ("\(digest)  a\n\n", "line 2 is not a SHA-256, two spaces and a path"),
            ("\(digest)  a\n\(digest)  a\n", "line 2 names a for the second time"),
            ("\(digest) *a\n", "line 1 is not a SHA-256, two spaces and a path"),
            ("\(digest) a\n", "line 1 is not a SHA-256, two spaces and a path"),
            ("\(digest)  \n", "line 1 is not a SHA-256, two spaces and a path"),
            ("\(digest.uppercased())  a\n", "line 1 is not a SHA-256, two spaces and a path"),
            ("\(digest.dropLast())  a\n", "line 1 is not a SHA-256, two spaces and a path"),
            ("\(digest.dropLast())g  a\n", "line 1 is not a SHA-256, two spaces and a path"),
            ("\(digest)  a\r\n", "line 1 is not a SHA-256, two spaces and a path"),
            ("\(digest)  a\\\\b\n", "line 1 is not a SHA-256, two spaces and a path"),
            ("\\\(digest)  a\n", "line 1 is not a SHA-256, two spaces and a path"),
            ("\\\(digest)  a\\x\n", "line 1 is not a SHA-256, two spaces and a path"),
            ("\\\(digest)  a\\\n", "line 1 is not a SHA-256, two spaces and a path"),
            ("\(digest)  a\0b\n", "line 1 is not a SHA-256, two spaces and a path"),
            ("\(digest)  a//b\n", "line 1 is not a SHA-256, two spaces and a path"),
            ("# comment\n", "line 1 is not a SHA-256, two spaces and a path"),
        ])
    func malformed(text: String, message: String) {
        let error = #expect(throws: ChecksumError.self) { try ChecksumList(parsing: Array(text.utf8)) }
        #expect(error?.code == .malformedList)
        #expect(error?.message == message)
        // Of two lines with one path, the last counts: what vouches for the list vouches for both.
        guard !message.hasSuffix("for the second time") else { return }
        let ofOne = #expect(throws: ChecksumError.self) { try ChecksumList.sha256(of: "a", in: Array(text.utf8)) }
        #expect(ofOne?.message == message)
    }

    @Test("An empty list is a list")
    func empty() throws { #expect(try ChecksumList(parsing: []).lines.isEmpty) }
}

private let digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

private func filePath(_ name: [UInt8]) -> FilePath? {
    (name + [0]).map { CChar(bitPattern: $0) }.withUnsafeBufferPointer { FilePath(platformString: $0.baseAddress!) }
}

private func write(_ list: ChecksumList, to path: FilePath) throws {
    let file = try FileDescriptor.open(path, .writeOnly, options: .create, permissions: .ownerReadWrite)
    try file.closeAfter { _ = try file.writeAll(list.bytes) }
}
