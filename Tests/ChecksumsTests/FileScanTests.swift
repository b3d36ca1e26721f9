import Checksums
import DumpCore
import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@Suite("File scan")
struct FileScanTests {
    @Test(
        "The digest is sha256sum's, whatever the size",
        arguments: [0, 1, 64, 256 * 1024 - 1, 256 * 1024, 256 * 1024 + 1, 3_000_000])
    func digest(size: Int) async throws {
        try await withScratch { scratch in
            let path = scratch.appending("file")
            try write(noise(size), to: path)
            var seen: [UInt8] = []
            let digest = try FileScan(path).digest { seen += $0 }
            let listed = try await runProgram("sha256sum", [path.string])
            #expect(String(decoding: listed.output, as: UTF8.self) == "\(digest.sha256)  \(path)\n")
            #expect(seen.elementsEqual(noise(size)), "the inspection sees every byte, in order")
            #expect(try sha256(of: seen) == digest.sha256)
            let status = try FileSystem.status(of: path)
            #expect(digest.bytes == size && digest.inode == status.inode && digest.modified == status.modified)
        }
    }

    @Test("A hole is its zeros, at the beginning, between data, and at the end")
    func holes() async throws {
        try await withScratch { scratch in
            let path = scratch.appending("sparse")
            try write([], to: path)
            #expect(truncate(path.string, 5_000_001) == 0)
            let file = try FileDescriptor.open(path, .writeOnly)
            try file.closeAfter {
                for offset: Int64 in [1_000_000, 2_000_000] {
                    _ = try file.writeAll(toAbsoluteOffset: offset, noise(300_000))
                }
            }
            try #require(try FileSystem.status(of: path).hasHoles)
            var seen: [UInt8] = []
            let digest = try FileScan(path).digest { seen += $0 }
            let listed = try await runProgram("sha256sum", [path.string])
            #expect(String(decoding: listed.output, as: UTF8.self) == "\(digest.sha256)  \(path)\n")
            #expect(try sha256(of: seen) == digest.sha256 && seen.count == 5_000_001)
        }
    }

    @Test("A large file is read in small pieces")
    func smallPieces() async throws {
        try await withScratch { scratch in
            let path = scratch.appending("sparse")
            try write("", to: path)
            #expect(truncate(path.string, 32 << 20) == 0)
            var largest = 0
            let digest = try FileScan(path).digest { largest = max(largest, $0.count) }
            #expect(digest.bytes == 32 << 20)
            #expect(largest <= 1 << 20)
        }
    }

    @Test("What the inspection throws ends the scan")
    func inspectionThrows() async throws {
        try await withScratch { scratch in
            let path = scratch.appending("file")
            try write(noise(1_000_000), to: path)
            var chunks = 0
            #expect(throws: CancellationError.self) {
                try FileScan(path).digest { _ in
                    chunks += 1
                    throw CancellationError()
                }
            }
            #expect(chunks == 1)
        }
    }

    @Test(
        "A file that grows, or is rewritten, while it is read has no digest, with holes or without",
        arguments: [true, false], [true, false])
    func changedMeanwhile(grows: Bool, isSparse: Bool) async throws {
        try await withScratch { scratch in
            let path = scratch.appending("file")
            try write(noise(300_000), to: path)
            if isSparse { #expect(truncate(path.string, 600_000) == 0) }
            // So that the rewriting falls into another tick of the file system's clock.
            try FileSystem.setModified(path, to: 1)
            let error = #expect(throws: ChecksumError.self) {
                try FileScan(path).digest { _ in
                    let file = try FileDescriptor.open(path, .writeOnly, options: grows ? .append : [])
                    try file.closeAfter { _ = try file.writeAll("x".utf8) }
                }
            }
            #expect(error?.code == .changed)
            #expect(
                error?.description == """
                    \(path) changed while it was read
                      hint: Find out what writes to it, and stop it.
                    """)
        }
    }

    @Test("What is no regular file is not read", arguments: ["directory", "fifo", "link"])
    func notAFile(kind: String) async throws {
        try await withScratch { scratch in
            let path = scratch.appending(kind)
            switch kind {
            case "directory": try FileSystem.createDirectory(path)
            case "fifo": #expect(mkfifo(path.string, 0o600) == 0)
            default:
                try write("x", to: scratch.appending("file"))
                #expect(symlink("file", path.string) == 0)
            }
            let error = #expect(throws: ChecksumError.self) { try FileScan(path).digest() }
            #expect(error?.description == "\(path) is not a regular file")
        }
    }

    @Test("A missing file is named")
    func missing() async throws {
        try await withScratch { scratch in
            let path = scratch.appending("missing")
            let error = #expect(throws: ChecksumError.self) { try FileScan(path).digest() }
            #expect(error?.description == "cannot read \(path): No such file or directory")
        }
    }

    @Test("Without SHA-256 in libcrypto there is an error, and no digest")
    func noAlgorithm() async {
        await #expect(processExitsWith: .success) {
            // Read once, before libcrypto's first use in this process.
            setenv("OPENSSL_CONF", "/dev/stdin", 1)
            var pipe: [Int32] = [0, 0]
            precondition(Glibc.pipe(&pipe) == 0)
            let configuration = "openssl_conf = a\n[a]\nproviders = b\n[b]\nnull = c\n[c]\nactivate = 1\n"
            precondition(Glibc.write(pipe[1], configuration, configuration.utf8.count) > 0)
            precondition(dup2(pipe[0], 0) == 0 && close(pipe[1]) == 0)
            let error = #expect(throws: ChecksumError.self) { try sha256(of: []) }
            #expect(error?.code == .libraryFailed)
            #expect(error?.message == "libcrypto cannot make a SHA-256: unsupported")
        }
    }
}

/// Bytes without a pattern, the same every time.
private func noise(_ count: Int) -> [UInt8] {
    var state: UInt64 = 1
    return (0..<count).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return UInt8(truncatingIfNeeded: state >> 56)
    }
}

private func write(_ bytes: [UInt8], to path: FilePath) throws {
    let file = try FileDescriptor.open(path, .writeOnly, options: [.create, .truncate], permissions: .ownerReadWrite)
    try file.closeAfter { _ = try file.writeAll(bytes) }
}
