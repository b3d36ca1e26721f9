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
        for record in (records ?? journal.open).reversed() { try await round.undo(record, in: context()) }
    }

    /// That nothing is left of any snapshot, and nothing on record.
    func expectNothingLeft(sourceLocation: SourceLocation = #_sourceLocation) throws {
        #expect(try mounts() == [], sourceLocation: sourceLocation)
        #expect(journal.open == [], sourceLocation: sourceLocation)
        #expect(access(runtime.appending("nightly").string, F_OK) != 0, sourceLocation: sourceLocation)
    }
}

/// Runs a program of this system that must succeed, and returns what it wrote.
@discardableResult
func output(_ program: String, _ arguments: String...) async throws -> String {
    let outcome = try await runProgram(program, arguments)
    guard outcome.succeeded else { throw HostError(description: "\(program) \(arguments): \(outcome.lastErrors)") }
    return String(decoding: outcome.output, as: UTF8.self)
}

/// Undoes what a test did, the last first, also after a failure. A step that fails does not keep the others from being
/// tried.
func withCleanup<Result>(_ body: (inout [() async throws -> Void]) async throws -> Result) async throws -> Result {
    var steps: [() async throws -> Void] = []
    let outcome: Swift.Result<Result, any Error>
    do {
        outcome = .success(try await body(&steps))
    } catch {
        outcome = .failure(error)
    }
    for step in steps.reversed() {
        do {
            try await step()
        } catch {
            Issue.record(error, "cannot clean up")
        }
    }
    return try outcome.get()
}

/// A scratch directory with mounts below it. What is left of them at its end is unmounted, the last first.
func withMountScratch<Result>(_ body: (FilePath) async throws -> Result) async throws -> Result {
    try await withScratch { scratch in
        try await withCleanup { cleanup in
            cleanup.append { try await unmountAll(below: scratch) }
            return try await body(scratch)
        }
    }
}

func unmountAll(below directory: FilePath) async throws {
    for mount in try MountTable.current().mounts(below: directory).reversed() {
        try await output("umount", mount.point.string)
    }
}
