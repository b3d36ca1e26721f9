import Checksums
import DumpCore
import Linux
import Staging
import SystemPackage
import TestSupport
import Testing

@Suite("Memory for sets of many files")
struct MemoryTests {
    /// A list of paths with their digests took more: 800 bytes a file, when a set was looked at as a whole.
    static let bytesAFile = 400

    @Test("does not grow with their number: sealing, publishing, handing over, looking and verifying")
    func manyFiles() async throws {
        try await withArea { area in
            await #expect(processExitsWith: .success) { [root = area.root.string as String] in
                let area = try await StagingArea.open(FilePath(root))
                var peaks: [Int] = []
                for (number, files) in [(1, 3000), (2, 3000), (3, 9000), (4, 9000)] {
                    let reused = try await area.takeSet(ofFiles: files, run: .numbered(number)).reuse.files
                    #expect(reused == (number.isMultiple(of: 2) ? files : number == 3 ? 3000 : 0))
                    #expect(try await area.currentSet()?.files == files + 2)
                    let lock = try await area.lock(for: .numbered(number), command: "test")
                    #expect(try await area.verifiedSet(noting: lock) != nil)
                    try FileSystem.removeFile(area.root.appending("sealed"))
                    #expect(try await area.verifiedSet(noting: lock) != nil)
                    lock.release()
                    #expect(try await area.faithfulRun(at: area.current) == .numbered(number))
                    peaks.append(try peakMemory())
                }
                #expect(peaks[3] - peaks[1] < 6000 * MemoryTests.bytesAFile / 1024, "\(peaks)")
            }
        }
    }
}

extension StagingArea {
    fileprivate func takeSet(ofFiles count: Int, run: RunID) async throws -> (set: SealedSet, reuse: Reuse) {
        try await withIncoming(run) { incoming in
            let directory = try await incoming.directory(forDump: "app")
            let told = incoming.completion(ofDump: "app")
            for file in 0..<count {
                let path = FilePath("blob_\(file).dat")
                try write("\(file)", to: directory.pushing(path))
                told(path, try FileScan(directory.pushing(path)).digest())
            }
            let unpublished = try await incoming.seal([.test("app")], as: .test)
            return (try await unpublished.publish().set, unpublished.reuse)
        }
    }
}
