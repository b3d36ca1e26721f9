import DumpCore
import Glibc
import Linux
import SystemPackage

/// The right to change a staging area, held by one run. What changes the area is reached from here.
///
/// Ends with `release()`, with the last reference to it, and with this process.
public final class StagingLock: Sendable {
    public let area: StagingArea
    /// The run that holds it.
    public let run: RunID
    private let file: LockFile

    init(area: StagingArea, run: RunID, file: LockFile) {
        self.area = area
        self.run = run
        self.file = file
    }

    /// Gives the lock back. Whatever was begun under it must have ended. A second time does nothing.
    public func release() { file.release() }

    func requireHeld() throws(StagingError) {
        guard !file.isHeld else { return }
        throw StagingError(.lockNotHeld, "the lock of staging area \(area.root) has been released")
    }
}

/// The right to read a staging area while it does not change. Several may hold it at once.
///
/// Ends with `release()`, with the last reference to it, and with this process.
public final class StagingReadLock: Sendable {
    private let file: LockFile

    init(file: LockFile) { self.file = file }

    /// Gives the lock back. A second time does nothing.
    public func release() { file.release() }

    /// Lets the program that takes this process's place by `execve(2)` keep the lock. It lasts until that program, and every child of
    /// it that got the descriptor, has ended or closed it, even by SIGKILL.
    public func keepOverExec() throws(StagingError) { try file.keepOverExec() }
}

extension StagingArea {
    /// Takes the lock for a run, or throws `.locked` at once when another process holds it or reads; the message says who.
    ///
    /// - Parameter command: what we are, for the message that others get, such as `muster run nightly`. No secrets.
    public func lock(for run: RunID, command: String) async throws(StagingError) -> StagingLock {
        let area = self
        return try await onOwnThread { () throws(StagingError) in
            guard let file = try area.takeLock(.exclusive) else { throw try area.lockedByAnother() }
            file.show(LockHolder(command: command, run: run))
            return StagingLock(area: area, run: run, file: file)
        }
    }

    /// Nil when others hold it for more than a fifth of a second. Blocking. Who only looks whether it is free holds it for a moment.
    private func takeLock(_ access: LockFile.Access) throws(StagingError) -> LockFile? {
        for _ in 0..<10 {
            if let file = try LockFile(lockFile, access) { return file }
            usleep(20_000)
        }
        return try LockFile(lockFile, access)
    }

    /// Takes the lock for reading, or throws `.locked` when a run still holds it after the patience has run out.
    ///
    /// - Parameters:
    ///   - command: what we are, for the message that others get. No secrets.
    ///   - patience: how long to wait for a run to end; nil does not wait. Cancellation ends the wait (`.cancelled`).
    public func lockForReading(
        command: String, patience: Duration? = nil
    ) async throws(StagingError) -> StagingReadLock {
        let end = patience.map { ContinuousClock.now + $0 }
        let area = self
        while true {
            if let file = try await onOwnThread({ () throws(StagingError) in try area.takeLock(.shared) }) {
                file.show(LockHolder(command: command, run: nil))
                return StagingReadLock(file: file)
            }
            guard let end, ContinuousClock.now < end else { throw try lockedByAnother() }
            guard !Task.isCancelled else { throw .stopped }
        }
    }

    /// The error of one who wanted the lock, with what is known of its holder.
    func lockedByAnother() throws(StagingError) -> StagingError {
        let holder = try SmallFile(lockFile).read().flatMap { LockHolder($0) }
        guard let holder else {
            return StagingError(
                .locked, "staging area \(root) is in use by another process",
                hint: "Wait until it has ended. To find it: fuser -v \(lockFile)")
        }
        let use = holder.run == nil ? "being read" : "in use"
        return StagingError(
            .locked,
            "staging area \(root) is \(use) by '\(holder.command)' (pid \(holder.pid)) since \(holder.since.local)",
            hint: "Wait until it has ended.", context: holder.run.map { ["run": "\($0)"] } ?? [:])
    }
}
