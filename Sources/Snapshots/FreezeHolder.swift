import CKeeper
import DumpCore
import Glibc
import Processes
import SystemPackage

/// A process that freezes an application, holds it, and thaws it. It thaws on request, after a time, and at once when our process ends,
/// however it ends. It outlives us.
///
/// `Sources/muster-keeper/freeze.c` says how.
struct FreezeHolder: Sendable {
    /// How the freeze came out.
    enum Freeze: Sendable, Equatable {
        case frozen
        /// The command that freezes did not succeed.
        case failed(ProgramOutcome)
        /// It took longer than the application may be frozen, and was killed.
        case tooLong
        /// This process, or another one, wanted the holder to end.
        case stopped
        /// Another freeze of the job has held the lock for too long.
        case lockHeld
        case noLock(Errno)
        /// The holder was killed.
        case lost
    }

    /// What the freeze was worth, after the thaw.
    enum Thaw: Sendable, Equatable {
        /// The application was frozen until it was asked for, if it was frozen at all.
        case held
        /// It was thawed before, because the time was up.
        case timeWasUp
        /// It was thawed before, because another process wanted the holder to end.
        case endedEarly
        /// Nothing was left of what the command that freezes had left running: what that held, it held no longer.
        case sessionEnded
        /// The command that thaws did not succeed, however often it was tried.
        case failed(ProgramOutcome)
        /// It took longer than the application may be frozen, each time.
        case tooLong
        /// It did, but the command that freezes cannot be killed, and may freeze the application again.
        case freezeGoesOn(pid_t)
        /// It was not even tried, because another freeze of the job has held the lock for too long. Only of a holder that was to thaw only.
        case lockHeld
        /// The same, because the lock cannot be opened.
        case noLock(Errno)
        /// The holder was killed. It is not known whether the application is frozen.
        case lost
    }

    private let keeper: DetachedKeeper

    /// Waits until the application is frozen, or will not be. To be called once, for a holder that has a command for that.
    /// Cancellation ends it.
    func freeze() async -> Freeze {
        let report = await withTaskCancellationHandler {
            await nextReport()
        } onCancel: {
            tellToThaw()
        }
        switch report {
        case .commandEnded(let outcome): return outcome.succeeded ? .frozen : .failed(outcome)
        case .commandTooLong: return .tooLong
        case .stopped: return .stopped
        case .lockHeld: return .lockHeld
        case .noLock(let errno): return .noLock(errno)
        case .freezeGoesOn, nil: return .lost
        }
    }

    /// Says that all is taken that should be taken meanwhile, and lets it thaw. To be called once, or `end`.
    func thaw() async -> Thaw {
        tellToThaw()
        return await end()
    }

    /// Waits until it has thawed by itself, for six times the time that the application may be frozen at most. A holder that is only to thaw
    /// gets that time once, and the time for the lock. To be called once, or `thaw`.
    func end() async -> Thaw {
        let report = await nextReport()
        guard case .exited(let status) = await keeper.end() else { return .lost }
        switch (freeze_outcome(rawValue: UInt32(status)), report) {
        case (freeze_outcome_held, nil): return .held
        case (freeze_outcome_held, .lockHeld): return .lockHeld
        case (freeze_outcome_held, .noLock(let errno)): return .noLock(errno)
        case (freeze_outcome_held, .stopped), (freeze_outcome_ended_early, _): return .endedEarly
        case (freeze_outcome_time_was_up, _): return .timeWasUp
        case (freeze_outcome_session_ended, _): return .sessionEnded
        case (freeze_outcome_not_thawed, .commandEnded(let outcome)): return .failed(outcome)
        case (freeze_outcome_not_thawed, .freezeGoesOn(let pid)): return .freezeGoesOn(pid)
        case (freeze_outcome_not_thawed, .commandTooLong): return .tooLong
        default: return .lost
        }
    }

    private func tellToThaw() { keeper.send([UInt8(freeze_request_thaw)]) }

    /// Nil when the keeper has ended, and will say nothing.
    private func nextReport() async -> Report? { Report(await keeper.nextMessage()) }
}

extension FreezeHolder {
    /// A message of the keeper.
    enum Report: Sendable, Equatable {
        case commandEnded(ProgramOutcome)
        case commandTooLong, stopped, lockHeld
        case freezeGoesOn(pid_t)
        case noLock(Errno)

        init?(_ message: [UInt8]) {
            guard message.count >= 5 else { return nil }
            let number = message.dropFirst().prefix(4).withUnsafeBytes { $0.loadUnaligned(as: Int32.self) }
            switch freeze_report(rawValue: UInt32(message[0])) {
            case freeze_report_command_ended:
                let errors = String(decoding: message.dropFirst(5), as: UTF8.self)
                self = .commandEnded(
                    ProgramOutcome(
                        status: .init(waitStatus: number),
                        lastErrorLines: errors.split(atASCII: "\n").suffix(20).map(String.init)))
            case freeze_report_command_too_long: self = .commandTooLong
            case freeze_report_stopped: self = .stopped
            case freeze_report_goes_on: self = .freezeGoesOn(number)
            case freeze_report_lock_held: self = .lockHeld
            case freeze_report_no_lock: self = .noLock(Errno(rawValue: number))
            default: return nil
            }
        }
    }
}

extension FreezeHolder {
    /// Starts one, which begins at once. It must be waited for by `thaw` or `end`.
    ///
    /// - Parameters:
    ///   - freeze: what it runs to freeze the application, as our own user. Nil if it is only to thaw it. Only the executable and its arguments count.
    ///   - thaw: what it runs in the end, with the environment of which it runs both.
    ///   - limit: how long the application may be frozen, that command included.
    ///   - lock: path of a file, made if it is not there, which only the process holds that freezes or thaws the application.
    init(
        freezingBy freeze: Program?, thawingBy thaw: Program, for limit: Duration, lock: FilePath,
        _ runner: ProgramRunner
    ) throws(DumpError) {
        let milliseconds = limit.components.seconds * 1000 + limit.components.attoseconds / 1_000_000_000_000_000
        let words = [freeze, thaw].map { program in program.map { [$0.executable.string] + $0.arguments } ?? [] }
        let options = [
            KEEPER_PARENT, String(getpid()), KEEPER_FREEZE_FOR, String(milliseconds), KEEPER_LOCK, lock.string,
            KEEPER_FREEZE_WORDS, String(words[0].count),
        ]
        do {
            keeper = try runner.startDetached(
                [KEEPER_FREEZE] + options + ["--"] + words[0] + words[1], withEnvironmentOf: thaw)
        } catch {
            throw DumpError(
                .system, "cannot start what holds the application frozen: \(error)", underlying: error)
        }
    }
}
