import DumpCore
import Linux
import SystemPackage
import TestSupport
import Testing

@testable import Trees

@Suite("The inventory of a tree")
struct InventoryTests {
    /// Of a tree with one of everything, and of what is in a tree only after it was copied.
    private func entries(of root: FilePath) throws -> [TreeEntry] {
        let directory = try OpenDirectory(root)
        var entries = try [TreeEntry(reading: FilePath(), of: directory)]
        entries += try FileTree(root).entries().map { try TreeEntry(reading: $0.path, of: directory) }
        for place in entries.indices where entries[place].kind == .file {
            entries[place].sha256 = SHA256Digest(String(repeating: "0f", count: 32))
            entries[place].source = TreeEntry.Source(inode: 7, changed: -1)
        }
        entries[3].firstName = entries[1].path
        return entries
    }

    private func bytes(of entries: [TreeEntry]) -> [UInt8] {
        var bytes: [UInt8] = []
        Inventory.write(entries) { bytes += $0 }
        return bytes
    }

    private func reading(_ bytes: [UInt8], at path: FilePath) throws -> [TreeEntry] {
        let file = try FileDescriptor.open(
            path, .readWrite, options: [.create, .truncate], permissions: .ownerReadWrite)
        return try file.closeAfter {
            try file.writeAll(bytes)
            try file.seek(offset: 0, from: .start)
            var reader = InventoryReader(file)
            var entries: [TreeEntry] = []
            while let entry = try reader.next() { entries.append(entry) }
            return entries
        }
    }

    @Test("is read back as it was written, whatever the names, times, devices and attributes")
    func roundTrip() async throws {
        try await withScratch { scratch in
            let tree = try await TreeFixture(at: scratch.appending("tree"))
            let entries = try entries(of: tree.root)
            #expect(Set(entries.map(\.kind)).count == 6)
            #expect(entries.contains { $0.modified < 0 } && entries.contains { !$0.attributes.isEmpty })
            #expect(try reading(bytes(of: entries), at: scratch.appending("inventory")) == entries)
            for entry in entries { #expect(Inventory.entry(of: Inventory.lines(of: entry)) == entry) }
        }
    }

    @Test("is what mtree and bsdtar take for one: they find the tree to be as it says, and what is changed afterwards")
    func otherPrograms() async throws {
        try await withScratch { scratch in
            let tree = try await TreeFixture(at: scratch.appending("tree"))
            var entries = try entries(of: tree.root)
            for place in entries.indices {
                entries[place].sha256 = nil
                entries[place].firstName = nil
            }
            let inventory = scratch.appending("inventory")
            _ = try reading(bytes(of: entries), at: inventory)
            let listed = try await runProgram("bsdtar", ["-tf", inventory.string])
            #expect(listed.succeeded, "\(listed.lastErrors)")
            #expect(String(decoding: listed.output, as: UTF8.self).split(separator: "\n").count == entries.count)

            let same = try await runProgram("mtree", ["-f", inventory.string, "-p", tree.root.string])
            #expect(same.status == .exited(0), "\(String(decoding: same.output, as: UTF8.self)) \(same.lastErrors)")
            try await tree.shell("chmod 0700 plain/sub && rm plain/old")
            let changed = try await runProgram("mtree", ["-f", inventory.string, "-p", tree.root.string])
            let found = String(decoding: changed.output, as: UTF8.self)
            #expect(changed.status == .exited(2))
            #expect(found.contains("plain/sub") && found.contains("plain/old"), "\(found)")
        }
    }

    @Test(
        "that somebody has written to is refused",
        arguments: [
            ("#mtree\n./a type=file mode=0600 uid=0 gid=0 size=1 time=1.000000000", "was cut off"),
            ("#mtree\n./a type=file mode=0600 uid=0 gid=0 size=1\n", "is not an entry"),
            ("#mtree\n./../a type=file mode=0600 uid=0 gid=0 size=1 time=1.000000000\n", "is not an entry"),
            ("#mtree\n/a type=file mode=0600 uid=0 gid=0 size=1 time=1.000000000\n", "is not an entry"),
            ("#mtree\n./a type=file mode=0600 uid=0 gid=0 size=1 time=1.000000000 flags=none\n", "is not an entry"),
            ("#mtree\n./a type=file mode=0600 uid=0 gid=0 size=1 time=1.0\n", "is not an entry"),
            (
                "#mtree\n./b type=fifo mode=0600 uid=0 gid=0 time=1.000000000\n./a type=fifo mode=0600 uid=0 gid=0 time=1.000000000\n",
                "is out of order"
            ),
            ("./a type=fifo mode=0600 uid=0 gid=0 time=1.000000000\n", "is not an inventory"),
        ])
    func refused(text: String, problem: String) async throws {
        try await withScratch { scratch in
            let error = #expect(throws: InventoryError.self) {
                try reading(Array(text.utf8), at: scratch.appending("i"))
            }
            #expect(error?.problem == problem)
        }
    }

    @Test(
        "has no entry in what is not the lines of one",
        arguments: [
            "", "\n", "./a type=fifo mode=0600 uid=0 gid=0 time=1.000000000",
            "./a type=fifo mode=0600 uid=0 gid=0 time=1.000000000\n./b type=fifo mode=0600 uid=0 gid=0 time=1.000000000\n",
            "#: inode=7 changed=1.000000000\n",
        ])
    func noEntry(text: String) {
        #expect(Inventory.entry(of: Array(text.utf8)) == nil)
    }

    @Test("has the order of a walk: parents first, names by their bytes")
    func order() {
        let paths: [FilePath] = ["", "a", "a/b", "a/b/c", "a/z", "a-", "a-/b", "a.b", "aa", "b"]
        for (place, path) in paths.enumerated() {
            for (other, another) in paths.enumerated() {
                #expect(TreeEntry.precedes(path, another) == (place < other), "\(path) \(another)")
            }
        }
    }
}
