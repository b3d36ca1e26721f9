import Conformance
import DumpCore
import Glibc
import Linux
import Processes
import SystemPackage
import TestSupport
import Testing

@testable import Snapshots

/// A run of the job `nightly` whose dumps take snapshots, with mount points in a scratch directory.
struct SnapshotHost: Sendable {
    let scratch: FilePath
    let round: SnapshotRound
    let run: TestRun
    let journal: MemoryJournal

    var runtime: FilePath { scratch.appending("run") }
    /// Where the snapshot of the dump `app` is seen.
    var mountPoint: FilePath { runtime.appending("nightly/app") }

    /// - Parameter bin: looked for programs in before anywhere else.
    init(scratch: FilePath, bin: FilePath? = nil) {
        self.scratch = scratch
        var programs = SystemPrograms(runner: ProgramRunner(keeper: keeperExecutable, log: .silent))
        programs.searchPath = (bin.map { [$0] } ?? []) + programs.searchPath
        round = SnapshotRound(job: "nightly", runtime: scratch.appending("run"), programs: programs)
        journal = MemoryJournal()
        run = TestRun(journal: journal)
    }

    func context(of dump: String = "app") -> RunContext {
        var context = run.context
        context.dump = dump
        return context
    }

    func examined(
        _ path: FilePath, _ settings: SnapshotSettings = SnapshotSettings(), for dump: String = "app"
    ) async throws(DumpError) -> PlannedSnapshot {
        try await round.examine(path, settings, for: dump, in: context(of: dump))
    }

    /// What is mounted below the runtime directory.
    func mounts() throws -> [FilePath] { try MountTable.current().mounts(below: runtime).map(\.point) }

    /// Undoes what is on record, as the next run does: newest first.
    func undoAll(_ records: [UndoRecord]? = nil) async throws {
        for record in (records ?? journal.open).sorted(by: { $0.isNewer(than: $1) }) {
            try await round.undo(record, in: context())
        }
    }

    /// That nothing is left of any snapshot, and nothing on record.
    func expectNothingLeft(sourceLocation: SourceLocation = #_sourceLocation) throws {
        #expect(try mounts() == [], sourceLocation: sourceLocation)
        #expect(journal.open == [], sourceLocation: sourceLocation)
        #expect(access(runtime.appending("nightly").string, F_OK) != 0, sourceLocation: sourceLocation)
    }
}
