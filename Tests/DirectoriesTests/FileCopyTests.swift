import DumpCore
import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing
import Trees

@testable import Directories

/// Linux counts the times of changes in ticks: two changes in one tick cannot be told by them.
@Suite("A file that was changed a moment ago")
struct FileCopyTests {
    @Test("is not read before its last change lies a tick back")
    func waits() async throws {
        try await withScratch { scratch in
            let entry = try copy(in: scratch)
            let changed = try #require(entry.source).changed
            #expect(now() - changed >= FileCopy.tick)
        }
    }

    @Test("in the tick of a snapshot is read again the next time: it may have been changed once more after that")
    func inTheTickOfASnapshot() async throws {
        try await withScratch { scratch in
            let changed = try #require(try copy(in: scratch).source).changed
            for (age, isKnown) in [(FileCopy.tick, true), (FileCopy.tick - 1, false), (0, false), (-1, false)] {
                let entry = try copy(in: scratch, isNew: false, asOf: changed + age)
                #expect((entry.source != nil) == isKnown, "\(age)")
            }
        }
    }

    /// Copies a file that was written just before, or the one of the last call.
    private func copy(in scratch: FilePath, isNew: Bool = true, asOf: Int64? = nil) throws -> TreeEntry {
        let (source, target) = (scratch.appending("source"), scratch.appending("target"))
        if isNew { try FileSystem.createDirectory(source) } else { try FileTree(target).remove() }
        try FileSystem.createDirectory(target)
        let (from, to) = (try OpenDirectory(source), try OpenDirectory(target))
        if isNew { try write("text", to: source.appending("file")) }
        let result = try FileCopy(
            source: from, target: to, path: "file", cloning: CloneSupport(), buffer: CopyBuffer(), stop: StopSign(),
            asOf: asOf, progress: { _ in }
        ).perform()
        return try #require(result).entry
    }

    private func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
