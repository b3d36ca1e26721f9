import DumpCore
import Linux
import Logging
import Processes

/// An application that is held still, by the operator's own commands, while its files are being snapshotted.
///
/// The commands are programs and their arguments, run without a shell, and end with status 0 when it is done. **The
/// thaw command may be run more than once, also of what was never frozen**, and is a success then too: after a crash
/// nobody knows how far it had come.
///
/// From before the freeze, a watchdog stands by: it thaws after the deadline, and at once when Muster ends, however it
/// ends. A freeze command that is at work then is killed, and what it may have frozen meanwhile is thawed again. The application must not be what Muster itself needs, such as the file system of the staging area.
public actor ApplicationFreeze: Quiescence {
    /// As `UndoRecord.kind` calls it.
    static let recordKind = "application_freeze"

    private let freeze: [String]
    private let thaw: [String]
    private let deadline: Duration
    private let programs: SystemPrograms
    private var held: Held?

    fileprivate struct Held {
        var record: UndoRecord
        var watchdog: FreezeWatchdog
        var run: RunContext
    }

    /// - Parameters:
    ///   - freeze: not empty.
    ///   - thaw: not empty.
    ///   - deadline: how long the application may be held, the freeze command included.
    public init(freeze: [String], thaw: [String], deadline: Duration, runner: ProgramRunner) {
        self.freeze = freeze
        self.thaw = thaw
        self.deadline = deadline
        programs = SystemPrograms(runner: runner)
    }

    /// Throws when one of the programs is not there. Changes nothing.
    public func examine() throws(DumpError) {
        for command in [freeze, thaw] { _ = try programs.path(of: command[0]) }
    }

    /// Freezes the application. After a throw it is not frozen, or the record of it stays.
    public func begin(in run: RunContext) async throws(DumpError) {
        let record = try await run.journal.record(Self.recordKind, of: run.dump, facts: facts)
        StopPoint.passing("freeze.recorded")
        let watchdog: FreezeWatchdog
        do throws(DumpError) {
            watchdog = try await startWatchdog()
        } catch {
            try await run.journal.forget(record)
            throw error
        }
        StopPoint.passing("freeze.watched")
        held = Held(record: record, watchdog: watchdog, run: run)
        do throws(DumpError) {
            defer { watchdog.froze() }
            try await programs.run(freeze, for: "the command that freezes", within: deadline, grace: .zero)
        } catch {
            // The first error says more than what became of the thaw, which is logged.
            try? await end()
            throw error
        }
        StopPoint.passing("freeze.made")
    }

    /// Thaws the application, if it is frozen. Throws when it may have been thawed before, so that what was taken
    /// meanwhile is not consistent, and when it cannot be thawed: then the record stays.
    public func end() async throws(DumpError) {
        guard let held else { return }
        self.held = nil
        let (thaw, deadline, programs) = (thaw, deadline, programs)
        // Also when the run is being cancelled: a task of its own is not.
        let outcome: Result<Void, DumpError> = await Task {
            do throws(DumpError) {
                return .success(try await held.end(thaw, within: deadline, by: programs))
            } catch {
                return .failure(error)
            }
        }.value
        try outcome.get()
    }

    public func undo(_ record: UndoRecord, in run: RunContext) async throws(DumpError) {
        guard record.kind == Self.recordKind else { throw DumpError(unknown: record) }
        try await Self.undo(UndoFacts(record: record), by: programs)
    }

    private static func undo(_ facts: UndoFacts, by programs: SystemPrograms) async throws(DumpError) {
        let thaw = try facts("thaw").split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let deadline = Duration.seconds(Int64(try facts("deadline_seconds")) ?? 60)
        try await programs.run(thaw, for: purposeOfThaw, within: deadline)
    }

    fileprivate static let purposeOfThaw = "the command that thaws"

    /// A word of a command has no line end in it: `Shape.command`.
    private var facts: [String: String] {
        ["thaw": thaw.joined(separator: "\n"), "deadline_seconds": "\(max(1, deadline.components.seconds))"]
    }

    private func startWatchdog() async throws(DumpError) -> FreezeWatchdog {
        let program = Program(try programs.path(of: thaw[0]), Array(thaw.dropFirst()))
        do {
            return try await programs.runner.watchFreeze(thawingBy: program, after: deadline)
        } catch {
            throw DumpError(error)
        }
    }
}

extension ApplicationFreeze.Held {
    fileprivate func end(_ thaw: [String], within limit: Duration, by programs: SystemPrograms) async throws(DumpError)
    {
        let end: FreezeWatchdog.End
        do throws(DumpError) {
            try await programs.run(thaw, for: ApplicationFreeze.purposeOfThaw, within: limit)
            StopPoint.passing("freeze.undone")
            end = await watchdog.dismiss()
        } catch {
            run.log.warning(
                "cannot thaw the application, the watchdog tries it again",
                metadata: ["dump": "\(run.dump)", "error": "\(error)"])
            end = await watchdog.thawNow()
            guard end != .failed else { throw error }
            // It was told to: until then the application was frozen.
            if end == .thawed { return try await run.journal.forget(record) }
        }
        try await run.journal.forget(record)
        guard end == .dismissed else { throw Self.notHeld(end, limit) }
    }

    private static func notHeld(_ end: FreezeWatchdog.End, _ limit: Duration) -> DumpError {
        DumpError(
            .snapshotLost,
            end == .timeWasUp
                ? "the application was thawed after \(limit), before all was taken that should be taken meanwhile"
                : "the watchdog of the frozen application was ended, and may have thawed it too early",
            hint: end == .timeWasUp
                ? "Find out what took so long, or give it more time in the job file."
                : "Find out who ended it, and run it again.")
    }
}
