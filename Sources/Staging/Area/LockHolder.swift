import Documents
import DumpCore
import Glibc

/// Who holds the lock of a staging area, as it is written into the lock file. For people to read, and nothing relies on it: what counts is
/// flock(2), which ends with its process.
struct LockHolder: Sendable, Codable, Hashable {
    var pid: Int32
    var command: String
    /// nil for one who reads.
    var run: RunID?
    var since: Timestamp

    init(command: String, run: RunID?) {
        pid = getpid()
        self.command = command
        self.run = run
        since = .now
    }

    /// The holder that a lock file's bytes name. Nil when they are half written, or name a process that has ended.
    init?(_ bytes: [UInt8]) {
        // Whatever does not decode is being written at this moment.
        guard let holder = try? SnakeCaseJSON.decode(LockHolder.self, from: bytes) else { return nil }
        guard holder.pid > 0, kill(holder.pid, 0) == 0 || errno == EPERM else { return nil }
        self = holder
    }
}
