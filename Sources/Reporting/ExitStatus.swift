/// How every command ends: the one table. 75 is never used: other tools read it as "skip quietly".
public enum ExitStatus: Int32, Sendable, CaseIterable {
    case done = 0
    case failed = 1
    case dumpFailed = 3
    case archiveFailed = 4
    case verificationFailed = 5
    case locked = 6
    case restoreFailed = 7
    case usage = 64
    case configuration = 78
    case hungUp = 129
    case interrupted = 130
    case terminated = 143

    public var meaning: String {
        switch self {
        case .done: "done"
        case .failed: "anything else went wrong"
        case .dumpFailed: "a dump failed: nothing was published, no archive was made"
        case .archiveFailed: "Borg failed or an archive is not faithful: the set is intact"
        case .verificationFailed: "the set is not what its manifest says"
        case .locked: "another run holds the lock"
        case .restoreFailed: "a restore failed"
        case .usage: "the command line is wrong"
        case .configuration: "the job file is wrong"
        case .hungUp, .interrupted, .terminated: "hung up (SIGHUP), interrupted (SIGINT), terminated (SIGTERM)"
        }
    }

    /// The status of a command that was stopped by this signal, or by an unknown one.
    public init(stoppedBy signal: Int32?) {
        self = signal.flatMap { ExitStatus(rawValue: 128 + $0) } ?? .terminated
    }
}
