import DumpCore
import Linux
import Processes
import Settings
import SystemPackage

/// An application that is held still, by the operator's own commands, while its files are being snapshotted.
///
/// The commands are programs and their arguments, run without a shell, and end with status 0 when it is done. After a crash it is not known
/// how far a command had come. So **the thaw command may be run more than once, also when nothing was frozen**, and must succeed then too.
///
/// A process of its own, which outlives Muster, freezes it, holds it and thaws it. It thaws when all is taken, after the deadline, and at
/// once when Muster ends, however it ends. A freeze command that is at work then is killed, and what it may have frozen meanwhile is thawed
/// again. What the freeze command leaves running, such as the session that holds a lock, lives until after the thaw. While one run of the
/// job freezes or thaws, no other does.
///
/// The application must not be what Muster itself needs, such as the file system of the staging area.
public actor ApplicationFreeze: Quiescence {
    private let freeze: [String]
    private let thaw: [String]
    private let deadline: Duration
    /// The process that freezes or thaws the application for this job holds it.
    private let lock: FilePath
    private let programs: SystemPrograms
    private var held: Held?

    private struct Held {
        var record: UndoRecord
        var holder: FreezeHolder
        var run: RunContext
    }

    /// - Parameters:
    ///   - freeze: not empty.
    ///   - thaw: not empty.
    ///   - deadline: how long the application may be held, the freeze command included.
    ///   - lock: path of the job's file for that, the same in all runs; it is made if it is not there.
    public init(freeze: [String], thaw: [String], deadline: Duration, lock: FilePath, runner: ProgramRunner) {
        self.freeze = freeze
        self.thaw = thaw
        self.deadline = deadline
        self.lock = lock
        programs = SystemPrograms(runner: runner)
    }

    /// Throws when one of the programs is not there. Changes nothing.
    public func examine() throws(DumpError) {
        for command in [freeze, thaw] { _ = try programs.path(of: command[0]) }
    }

    /// Freezes the application. After a throw it is not frozen, or the record of it stays.
    public func begin(in run: RunContext) async throws(DumpError) {
        let record = try await run.journal.record(
            FrozenApplication(thaw: thaw, deadline: deadline), of: run.dump)
        StopPoint.passing("freeze.recorded")
        let holder: FreezeHolder
        do throws(DumpError) {
            holder = try hold(freezingBy: freeze, thawingBy: thaw, for: deadline)
        } catch {
            try await run.journal.forget(record)
            throw error
        }
        held = Held(record: record, holder: holder, run: run)
        do throws(DumpError) {
            try requireFrozen(await holder.freeze())
        } catch {
            // The first error says more than what became of the thaw, which is logged.
            try? await end()
            throw error
        }
        StopPoint.passing("freeze.made")
    }

    /// Thaws the application, if it is frozen. Throws when it may have been thawed before, because what was taken meanwhile is then not
    /// consistent. Also throws when it cannot be thawed, and then the record stays.
    public func end() async throws(DumpError) {
        guard let held else { return }
        self.held = nil
        let outcome = await held.holder.thaw()
        do throws(DumpError) {
            if outcome == .lost {
                try await thawAlone(thaw, within: deadline)
            } else {
                try requireThawed(outcome, thaw, deadline)
            }
        } catch {
            held.run.log.error(
                "cannot thaw the application", metadata: ["dump": "\(held.run.dump)", "error": "\(error)"])
            throw error
        }
        StopPoint.passing("freeze.undone")
        try await held.run.journal.forget(held.record)
        try requireHeld(outcome)
    }

    public func undo(_ record: UndoRecord, in run: RunContext) async throws(DumpError) {
        let frozen = try FrozenApplication(of: record)
        try await thawAlone(frozen.thaw, within: frozen.deadline)
    }

    /// Thaws what is frozen, once no process holds it frozen. Also when the run is being cancelled.
    private func thawAlone(_ thaw: [String], within limit: Duration) async throws(DumpError) {
        let outcome = try await hold(thawingBy: thaw, for: limit).end()
        guard outcome != .endedEarly else { throw holderEnded() }
        try requireThawed(outcome, thaw, limit)
    }

    private func hold(
        freezingBy freeze: [String]? = nil, thawingBy thaw: [String], for limit: Duration
    ) throws(DumpError) -> FreezeHolder {
        let thaw = try program(thaw)
        let freeze: Program? = if let freeze { try program(freeze) } else { nil }
        return try FreezeHolder(freezingBy: freeze, thawingBy: thaw, for: limit, lock: lock, programs.runner)
    }

    private func program(_ command: [String]) throws(DumpError) -> Program {
        Program(try programs.path(of: command[0]), Array(command.dropFirst()))
    }
}

// MARK: What it comes to

extension ApplicationFreeze {
    private func requireFrozen(_ outcome: FreezeHolder.Freeze) throws(DumpError) {
        switch outcome {
        case .frozen where Task.isCancelled: throw DumpError(.cancelled, "freezing the application was stopped")
        case .frozen: return
        case .failed(let outcome): throw DumpError(outcome, of: freeze, for: "freeze_command")
        case .tooLong: throw DumpError(tooLong: freeze, for: "freeze_command", deadline)
        case .stopped where Task.isCancelled: throw DumpError(.cancelled, "freeze_command was stopped")
        case .stopped, .lost: throw holderEnded()
        case .lockHeld: throw heldByAnother()
        case .noLock(let error): throw cannotLock(error)
        }
    }

    /// Whatever the freeze was worth.
    private func requireThawed(
        _ outcome: FreezeHolder.Thaw, _ thaw: [String], _ limit: Duration
    ) throws(DumpError) {
        switch outcome {
        case .held, .timeWasUp, .endedEarly, .sessionEnded: return
        case .failed(let outcome):
            throw DumpError(
                outcome, of: thaw, for: "thaw_command", hint: "Run it by hand to see what is wrong.")
        case .tooLong: throw DumpError(tooLong: thaw, for: "thaw_command", limit)
        case .freezeGoesOn(let pid):
            throw DumpError(
                .system, "freeze_command cannot be killed, and may freeze the application again",
                hint: "Find out what process \(pid) waits for. Once it has ended, run 'muster undo'.",
                context: ["command": freeze.joined(separator: " ")])
        case .lost: throw holderEnded()
        case .lockHeld: throw heldByAnother()
        case .noLock(let error): throw cannotLock(error)
        }
    }

    private func requireHeld(_ outcome: FreezeHolder.Thaw) throws(DumpError) {
        switch outcome {
        case .held: return
        case .timeWasUp:
            throw DumpError(
                .snapshotLost,
                "the application was thawed after \(deadline.settingsText), before all snapshots were taken",
                hint: "Find out what took so long, or give it more time in the job file.")
        case .sessionEnded:
            throw DumpError(
                .snapshotLost,
                "the process that freeze_command left running ended before all snapshots were taken",
                hint: "Find out why it ended. If it held nothing, let the command wait for it.")
        default: throw holderEnded()
        }
    }

    private func holderEnded() -> DumpError {
        DumpError(
            .snapshotLost, "what held the application frozen was ended, and may have thawed it too early",
            hint: "Find out who ended it, and run it again.")
    }

    private func heldByAnother() -> DumpError {
        DumpError(
            .system, "another process holds the application of this job frozen, or tries to thaw it",
            hint: "Find out who has \(lock) open ('fuser -v \(lock)'), and what it waits for. Then run it again.",
            isTransient: true)
    }

    private func cannotLock(_ error: Errno) -> DumpError {
        DumpError(.system, "cannot use \(lock), the lock of a freeze: \(error)", underlying: error)
    }
}
