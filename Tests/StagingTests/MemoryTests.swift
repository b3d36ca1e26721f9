import Checksums
import DumpCore
import Linux
import Staging
import SystemPackage
import TestSupport
import Testing
import Trees

@Suite("Memory for sets of many files", .unlessSanitized)
struct MemoryTests {
    /// KiB. Lists of paths, states and digests took 800 bytes for each file, 8,000 KiB here.
    private static let growth = 2500

    @Test("is not needed to hand over, to look at and to verify a set, beyond what sealing it took")
    func manyFiles() async throws {
        try await withArea { area in
            await #expect(processExitsWith: .success) { [root = area.root.string as String] in
                let (area, files) = (try await StagingArea.open(FilePath(root)), 10_000)
                try await area.takeSet(ofFiles: files, run: .numbered(1))
                let before = try peakMemory()
                #expect(try await area.currentSet()?.files == files + 2)
                let lock = try await area.lock(for: .numbered(2), command: "test")
                #expect(try await area.verifiedSet(noting: lock) != nil)
                try FileSystem.removeFile(area.root.appending("sealed"))
                #expect(try await area.verifiedSet(noting: lock) != nil)
                lock.release()
                #expect(try await area.faithfulRun(at: area.current) == .numbered(1))
                let grown = try peakMemory() - before
                #expect(grown < MemoryTests.growth, "\(grown) KiB")
            }
        }
    }

    @Test("does not grow with the number of dumps that hold a tree")
    func manyTrees() async throws {
        try await withArea { area in
            await #expect(processExitsWith: .success) { [root = area.root.string as String] in
                let area = try await StagingArea.open(FilePath(root))
                try await area.takeSet(ofTrees: 2, run: .numbered(1))
                let before = try peakMemory()
                try await area.takeSet(ofTrees: 60, run: .numbered(2))
                let grown = try peakMemory() - before
                // A quarter of a mebibyte for each, when all inventories were open at once.
                #expect(grown < 6000, "\(grown) KiB")
            }
        }
    }
}

extension StagingArea {
    fileprivate func takeSet(ofTrees count: Int, run: RunID) async throws {
        try await withIncoming(run) { incoming in
            var dumps: [FinishedDump] = []
            for number in 0..<count {
                let directory = try await incoming.directory(forDump: "tree\(number)")
                dumps.append(try .withTree("tree\(number)", in: directory))
            }
            _ = try await incoming.seal(dumps, as: .test).publish()
        }
    }

    fileprivate func takeSet(ofFiles count: Int, run: RunID) async throws {
        try await withIncoming(run) { incoming in
            let directory = try await incoming.directory(forDump: "app")
            let told = incoming.completion(ofDump: "app")
            for file in 0..<count {
                let path = FilePath("blob_\(file).dat")
                try write("\(file)", to: directory.pushing(path))
                told(path, try FileScan(directory.pushing(path)).digest())
            }
            let unpublished = try await incoming.seal([.test("app")], as: .test)
            _ = try await unpublished.publish()
        }
    }
}

extension FinishedDump {
    /// A dump of a directory with one file, as its provider would write it.
    fileprivate static func withTree(_ name: String, in directory: FilePath) throws -> FinishedDump {
        let (tree, inventory) = (directory.appending("tree"), directory.appending("tree.mtree"))
        try FileSystem.createDirectory(tree)
        try write(name, to: tree.appending("file"))
        let opened = try OpenDirectory(tree)
        var entries = try ["", "file"].map { try TreeEntry(reading: FilePath($0), of: opened) }
        entries[1].sha256 = SHA256Digest(try FileScan(tree.appending("file")).digest().sha256)
        var bytes: [UInt8] = []
        Inventory.write(entries) { bytes += $0 }
        try write(String(decoding: bytes, as: UTF8.self), to: inventory)
        let digest = try FileScan(inventory).digest()
        var dump = FinishedDump.test(name, digests: ["tree.mtree": digest])
        dump.summary.tree = TreeContents(
            path: "tree", inventory: "tree.mtree", inventorySHA256: digest.sha256, entries: 2, bytes: entries[1].bytes,
            diskBytes: entries[1].bytes)
        return dump
    }
}
