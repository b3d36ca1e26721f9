import DumpCore
import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@testable import Snapshots

@Suite("A snapshot whose run was killed")
struct KillTests {
    enum Point: String, CaseIterable {
        case recorded = "snapshot.recorded"
        case taken = "snapshot.taken"
        case held = "snapshot.held"
        case mountRecorded = "mount.recorded"
        case mounted = "mount.made"
        case unmounted = "mount.undone"
        case deleted = "snapshot.deleted"

        var hasSnapshot: Bool { self != .recorded && self != .deleted }
        var isMounted: Bool { self == .mounted }
    }

    @Test("is undone by what is on record, wherever that was, and nobody else's is", arguments: Point.allCases)
    func killed(at point: Point) async throws {
        try await withScratch { scratch in
            try await BtrfsVolume.with(in: scratch) { volume in
                let journal = FileJournal(in: scratch)
                let stranger = volume.data.appending(".muster-nightly-20260101T000000Z-0000")
                try await output("btrfs", "subvolume", "snapshot", "-r", volume.data.string, stranger.string)

                let killer = try StoppedProcess(scratch: scratch) { kill($0, SIGKILL) }
                await #expect(processExitsWith: .signal(SIGKILL)) {
                    [scratch = scratch.string as String, point = point.rawValue as String] in
                    try stopThisProcess(at: point, scratch: scratch)
                    try await KillTests.takeAndRelease(in: FilePath(scratch))
                }
                try killer.finish()

                let host = SnapshotHost(scratch: scratch)
                let records = try await journal.records()
                #expect(!records.isEmpty && records.allSatisfy { !$0.owner.isAlive })
                #expect(try await volume.subvolumes().count == (point.hasSnapshot ? 3 : 2))
                #expect(try host.mounts() == (point.isMounted ? [host.mountPoint] : []))
                // Twice: the one who undoes may be killed as well.
                for _ in 1...2 {
                    try await host.undoAll(records)
                    #expect(try await volume.subvolumes() == ["data", "data/\(stranger.lastComponent!)"])
                    try host.expectNothingLeft()
                }
            }
        }
    }

    /// In the process that is killed.
    static func takeAndRelease(in scratch: FilePath) async throws {
        let host = SnapshotHost(scratch: scratch)
        var context = host.context()
        context.journal = FileJournal(in: scratch)
        let plan = try await host.examined(scratch.appending("volume/data/documents"))
        await (try plan.take(in: context)).release()
    }
}
