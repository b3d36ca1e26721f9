import Checksums
import DumpCore
import Linux
import Staging
import SystemPackage
import TestSupport
import Testing

@Suite("Memory for sets of many files")
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
}

extension StagingArea {
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
