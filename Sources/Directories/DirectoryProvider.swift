import DumpCore
import Linux
import Snapshots
import SystemPackage

/// Dumps a directory: copies a file tree with modes, owners, times, links, holes, attributes and access control lists.
///
/// The copy is our own code and not `rsync -aHAXS --link-dest`. Unlike our code, rsync does not see that a file changed while it was
/// copied, and reads the holes of a sparse file. It takes a file for unchanged by size and time alone, and leaves its files to be read a
/// second time for their checksums.
///
/// Nor is rsync much faster, if at all. A whole dump, with checksums and until it is on disk, took 0.85 of the time of `rsync -aHAX` for
/// 100,000 files of 10 KiB. With nothing changed it took 0.55 of the time of `--link-dest`, and for a file of 2 GiB 0.43 of that of
/// `rsync -aHAX`. Another machine had 1.11, 0.76 and 0.77 (`Benchmarks/RESULTS.md`).
public struct DirectoryProvider: InPlaceProvider {
    let settings: DirectorySettings
    let round: SnapshotRound

    /// - Parameter round: of the job; its snapshots are taken together.
    public init(settings: DirectorySettings, round: SnapshotRound) {
        self.settings = settings
        self.round = round
    }

    public func prepare(in run: RunContext) async throws(DumpError) -> any PreparedSource {
        try await examined(for: run)
    }

    public var kindsUndoneByAnyDump: Set<String> { SnapshotRound.recordKinds }

    public func undo(_ record: UndoRecord, in run: RunContext) async throws(DumpError) {
        try await round.undo(record, in: run)
    }

    public func confirm(_ record: UndoRecord) async throws(DumpError) { try await round.confirm(record) }
}
