import CLinux
import Glibc
import SystemPackage

/// What this process was started with, before it set things for itself: file mode mask, signals, scheduling policy, core files, open files.
///
/// For a program that takes our place, and that is to find what it would have found without us.
public struct StartingConditions: Sendable {
    private let fileModeMask: mode_t
    private let blockedSignals: sigset_t
    private let ignoredSignals: Set<Int32>
    private let policy: Int32
    private let coreFiles: rlimit
    private let openFiles: rlimit

    private static let remembered = StartingConditions()

    /// To be called first of all, by the main thread.
    public static func remember() { _ = remembered }

    /// The arguments of this process, without its own name. `CommandLine` has none where there is no `/proc`.
    public static var arguments: [String] {
        (0..<clinux_argument_count()).dropFirst().map { String(cString: clinux_argument($0)) }
    }

    /// Whether a descriptor of 0 to 2 was closed. It leads to `/dev/null` since.
    public static func wasClosed(_ descriptor: Int32) -> Bool { clinux_was_closed(descriptor) == 1 }

    /// Whether our parent wanted this signal to change nothing, as `nohup(1)` does.
    public static func wasIgnored(_ signal: Int32) -> Bool { remembered.ignoredSignals.contains(signal) }

    /// Sets all of it back, for a program that takes our place. Signals and policy are set for the calling thread, which is the one that
    /// lives on in the new program.
    public static func restore() { remembered.restore() }

    private init() {
        // Cannot be read without being set.
        fileModeMask = umask(0o077)
        umask(fileModeMask)
        var blocked = sigset_t()
        pthread_sigmask(SIG_BLOCK, nil, &blocked)
        blockedSignals = blocked
        ignoredSignals = Set(Self.allSignals.filter(Self.isIgnored))
        policy = sched_getscheduler(0)
        coreFiles = ResourceLimit.coreFiles.both
        openFiles = ResourceLimit.openFiles.both
    }

    /// The threads of Swift's pool block nearly every signal.
    private func restore() {
        umask(fileModeMask)
        ResourceLimit.coreFiles.set(coreFiles)
        ResourceLimit.openFiles.set(openFiles)
        for signal in Self.allSignals where Self.isIgnored(signal) != ignoredSignals.contains(signal) {
            _ = Glibc.signal(signal, ignoredSignals.contains(signal) ? SIG_IGN : SIG_DFL)
        }
        if policy != sched_getscheduler(0) {
            var none = sched_param()
            // A process that may leave SCHED_OTHER for SCHED_BATCH, which is all that we do, may go back.
            sched_setscheduler(0, policy, &none)
        }
        // Last: a signal that has come meanwhile finds everything as it was.
        var blocked = blockedSignals
        pthread_sigmask(SIG_SETMASK, &blocked, nil)
    }

    private static let allSignals = Int32(1)...64

    private static func isIgnored(_ signal: Int32) -> Bool {
        var action = sigaction()
        guard sigaction(signal, nil, &action) == 0 else { return false }
        return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
            == unsafeBitCast(SIG_IGN, to: Int.self)
    }
}
