import Borg
import DumpCore
import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@testable import Catalog

/// What an archive may hold to get out of the place where it is extracted. It is all that the tests of tar, libarchive, restic and Borg
/// try.
private let escapes: [(name: String, entries: [@Sendable (FilePath, inout TarStream) -> Void])] = [
    ("a name that is absolute", [{ $1.add("\($0)/victim/file", content: "attacker") }]),
    ("a new name that is absolute", [{ $1.add("\($0)/victim/new", content: "attacker") }]),
    (
        "a long name that is absolute",
        [
            {
                $1.addLong("\($0)/victim/\(String(repeating: "n", count: 120))")
                $1.add("x", content: "attacker")
            }
        ]
    ),
    (
        "an extended name that is absolute",
        [
            {
                $1.addExtended([("path", "\($0)/victim/new")])
                $1.add("x", content: "attacker")
            }
        ]
    ),
    ("a name with two slashes first", [{ $1.add("/\($0)/victim/new", content: "attacker") }]),
    ("no name", [{ $1.add("", content: "attacker") }, { $1.add("/", type: "5", mode: "0000777") }]),
    ("a name with a step to nowhere", [{ $1.add("a/./../../victim/new") }, { $1.add("a//../../victim/new") }]),
    (
        "a name that ends in the middle for the kernel",
        [
            {
                $1.addExtended([("path", "../victim/new\0x")])
                $1.add("x", content: "attacker")
            }
        ]
    ),
    ("a name that leads up", [{ $1.add("../victim/file", content: "attacker") }]),
    ("a name that leads up from below", [{ $1.add("a/../../victim/file", content: "attacker") }]),
    ("a name that leads up and down", [{ $1.add("../../foo/../bar/../victim/new", content: "attacker") }]),
    ("a name with a dot before it leads up", [{ $1.add("./../victim/new", content: "attacker") }]),
    ("a directory that leads up", [{ $1.add("../victim/", type: "5", mode: "0000777") }]),
    (
        "a directory called ..",
        [
            {
                $1.add("x", type: "5")
                $1.add("x/..", type: "5", mode: "0000777")
                $1.add("x/../../victim/new")
            }
        ]
    ),
    ("the parent itself", [{ $1.add("..", type: "5", mode: "0000777") }, { $1.add(".", type: "5", mode: "0000777") }]),
    (
        "a file below a link",
        [
            {
                $1.add("d", type: "2", target: "../victim")
                $1.add("d/file", content: "attacker")
            }
        ]
    ),
    (
        "a file below a link to an absolute place",
        [
            {
                $1.add("d", type: "2", target: "\($0)/victim")
                $1.add("d/new", content: "attacker")
            }
        ]
    ),
    (
        "a file below two links",
        [
            {
                $1.add("a", type: "2", target: ".")
                $1.add("a/b", type: "2", target: "../victim")
                $1.add("a/b/new", content: "attacker")
            }
        ]
    ),
    (
        "a directory below a link",
        [
            {
                $1.add("d", type: "2", target: "../victim")
                $1.add("d/new", type: "5")
            }
        ]
    ),
    (
        "a link below a link",
        [
            {
                $1.add("d", type: "2", target: "../victim")
                $1.add("d/new", type: "2", target: "x")
            }
        ]
    ),
    (
        "a FIFO below a link",
        [
            {
                $1.add("d", type: "2", target: "../victim")
                $1.add("d/new", type: "6")
            }
        ]
    ),
    (
        "a link in the place of an empty directory",
        [
            {
                $1.add("d", type: "5")
                $1.add("d", type: "2", target: "../victim")
                $1.add("d/file", content: "attacker")
            }
        ]
    ),
    (
        "a directory in the place of a link, for its mode",
        [
            {
                $1.add("d", type: "2", target: "../victim")
                $1.add("d", type: "5", mode: "0000777")
            }
        ]
    ),
    (
        "a link that takes a directory's place, for its mode",
        [
            {
                $1.add("d", type: "5", mode: "0000777")
                $1.add("d", type: "2", target: "../victim")
            }
        ]
    ),
    (
        "a file in the place of a link",
        [
            {
                $1.add("f", type: "2", target: "../victim/file")
                $1.add("f", content: "attacker")
            }
        ]
    ),
    (
        "a file in the place of a link, with a slash",
        [
            {
                $1.add("f/", type: "2", target: "../victim/file")
                $1.add("f", content: "attacker")
            }
        ]
    ),
    (
        "a hard link to an absolute place",
        [
            {
                $1.add("h", type: "1", target: "\($0)/victim/file")
                $1.add("h", content: "attacker")
            }
        ]
    ),
    (
        "a hard link that leads up",
        [
            {
                $1.add("h", type: "1", target: "../victim/file")
                $1.add("h", content: "attacker")
            }
        ]
    ),
    (
        "a hard link through a link",
        [
            {
                $1.add("d", type: "2", target: "../victim")
                $1.add("h", type: "1", target: "d/file")
                $1.add("h", content: "attacker")
            }
        ]
    ),
    (
        "a hard link to a link",
        [
            {
                $1.add("l", type: "2", target: "../victim/file")
                $1.add("h", type: "1", target: "l")
                $1.add("h", content: "attacker")
            }
        ]
    ),
    ("a hard link that brings contents", [{ $1.add("h", type: "1", content: "attacker", target: "../victim/file") }]),
    (
        "a hard link below a link",
        [
            {
                $1.add("f", content: "x")
                $1.add("d", type: "2", target: "../victim")
                $1.add("d/new", type: "1", target: "f")
            }
        ]
    ),
    (
        "a name with a line end and a link",
        [
            {
                $1.add("d\n", type: "2", target: "../victim")
                $1.add("d\n/new", content: "attacker")
            }
        ]
    ),
]

@Suite("Unpacking an archive")
struct UnpackingTests {
    @Test("makes nothing, changes nothing and removes nothing outside of its place", arguments: escapes.indices)
    func escape(number: Int) async throws {
        try await withVictim { scratch, root in
            var stream = TarStream()
            for entry in escapes[number].entries { entry(scratch, &stream) }
            stream.add("docs/after", content: "whole")
            stream.end()
            let before = try Self.state(of: scratch)
            let refused = try? await unpack(stream, into: root)
            #expect(try Self.state(of: scratch) == before, "\(escapes[number].name)")
            #expect(try read(scratch.pushing("victim/file")) == "original", "\(escapes[number].name)")
            // What can be made is made all the same, and the archive is known for what it is.
            #expect(refused?.count != 0 || access(root.pushing("d/file").string, F_OK) == 0, "\(escapes[number].name)")
        }
    }

    @Test("keeps modes, times, holes and hard links, and makes links last")
    func keeps() async throws {
        try await withVictim { _, root in
            var stream = TarStream()
            stream.add("docs/link", type: "2", target: "../../victim/file")
            stream.add("docs/sub/second", type: "1", target: "docs/first")
            stream.add("docs/", type: "5", mode: "0000750")
            stream.add(
                "docs/first", content: String(repeating: "\0", count: 1 << 20) + "end", mode: "0004711",
                owner: "0010145")
            stream.add("docs/fifo", type: "6", mode: "0000600")
            stream.end()
            #expect(try await unpack(stream, into: root).count == 0)
            let docs = try OpenDirectory(root.appending("docs"))
            let first = try docs.status(of: "first")
            #expect((first.mode, first.uid, first.bytes, first.links) == (0o4711, 0o10145, (1 << 20) + 3, 2))
            #expect(first.modified == 1_700_000_000_000_000_000 && first.allocatedBytes < 1 << 20)
            #expect(try docs.status(of: FilePath()).mode == 0o750)
            #expect(try docs.target(ofLink: "link") == Array("../../victim/file".utf8))
            #expect(try docs.status(of: "fifo").kind == .fifo)
        }
    }

    @Test("has what Borg read elsewhere where a copy would be")
    func places() throws {
        let places = PlacesInSet([(reference: "srv/data", place: "docs/tree")])
        #expect(places.path(of: Array("srv/data/a/b".utf8)) == "docs/tree/a/b")
        #expect(places.path(of: Array("srv/data/".utf8)) == "docs/tree")
        #expect(places.path(of: Array("srv/database".utf8)) == "srv/database")
        #expect(places.path(of: Array("srv/data/../x".utf8)) == nil)
        #expect(PlacesInSet([(reference: "srv", place: "/etc")]).path(of: Array("srv/x".utf8)) == nil)
    }

    @Test("ends at more than it may hold")
    func limits() async throws {
        try await withVictim { _, root in
            var stream = TarStream()
            for number in 0..<10 { stream.add("f\(number)", content: "0123456789") }
            stream.end()
            await #expect(throws: UnpackingError.self) {
                try await unpack(stream, into: root, Unpacking.Limits(entries: 5, bytes: 1000))
            }
            try FileTree(root).remove()
            try FileSystem.createDirectory(root)
            await #expect(throws: UnpackingError.self) {
                try await unpack(stream, into: root, Unpacking.Limits(entries: 50, bytes: 45))
            }
        }
    }

    /// A directory to unpack into beside one that nothing may happen to.
    private func withVictim(_ body: (_ scratch: FilePath, _ root: FilePath) async throws -> Void) async throws {
        try await withScratch { scratch in
            for path in ["root", "victim", "victim/directory"] as [FilePath] {
                try FileSystem.createDirectory(scratch.pushing(path))
            }
            try write("original", to: scratch.pushing("victim/file"))
            try await body(scratch, scratch.appending("root"))
        }
    }

    private func unpack(
        _ stream: TarStream, into root: FilePath, _ limits: Unpacking.Limits = .init(entries: 1000, bytes: 1 << 30)
    ) async throws -> Refusals {
        let descriptor = try FileDescriptor.memoryFile(holding: stream.bytes)
        return try descriptor.closeAfter {
            try descriptor.seek(offset: 0, from: .start)
            var reader = TarReader(descriptor)
            var unpacking = Unpacking(into: try OpenDirectory(root), PlacesInSet([]), limits)
            try unpacking.unpack(&reader)
            return unpacking.refused
        }
    }

    /// Of all but what is unpacked; of that directory and the one above it what does not change by it.
    private static func state(of scratch: FilePath) throws -> [String] {
        try FileTree(scratch).entries().filter {
            !$0.path.starts(with: "root/") && !($0.path.starts(with: "root") && $0.path != "root")
        }.map { entry in
            let status = entry.status
            let facts = "\(entry.path) \(status.kind) \(status.mode) \(status.uid) \(status.inode) \(status.links)"
            return entry.path == "root"
                ? "\(entry.path) \(status.mode)" : facts + " \(status.modified) \(status.changed)"
        } + ["\(try FileSystem.status(of: scratch).mode)"]
    }
}
