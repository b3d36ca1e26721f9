import DumpCore
import Linux
import Staging

/// Why a run did not reach its end. Each case is one exit status.
public enum RunFailure: Error {
    /// A dump could not be prepared, taken, sealed or published. Nothing was published, no archive was made.
    case dump(any OperatorError)
    /// Borg failed, or an archive is not faithful. The set is published and intact.
    case archive(any OperatorError)
    /// The published set is not what was sealed.
    case damagedSet(any OperatorError)
    /// The set is published, and archived if it was to be; something besides could not be done, such as writing the report.
    case afterwards(any OperatorError)
    /// Another run holds the lock.
    case locked(any OperatorError)
    /// The job file does not fit what is there, such as a staging area of another job. Nothing was changed.
    case configuration(any OperatorError)
    /// The run was stopped.
    case interrupted

    /// The stage of a run that an error came from.
    public enum Stage { case dump, archive, afterwards }

    public init(_ error: any Error, during stage: Stage) {
        if Task.isCancelled {
            self = .interrupted
            return
        }
        switch (error, stage) {
        case (let error as StagingError, _) where error.code == .locked: self = .locked(error)
        case (let error as StagingError, _) where error.code == .anotherJob: self = .configuration(error)
        case (let error as StagingError, .archive) where error.isAboutTheSet: self = .damagedSet(error)
        case (_, .dump): self = .dump(error.forOperator)
        case (_, .archive): self = .archive(error.forOperator)
        case (_, .afterwards): self = .afterwards(error.forOperator)
        }
    }

    /// What the operator reads; nil after an interruption, which the operator asked for.
    public var error: (any OperatorError)? {
        switch self {
        case .dump(let error), .archive(let error), .damagedSet(let error), .afterwards(let error), .locked(let error),
            .configuration(let error):
            error
        case .interrupted: nil
        }
    }

    public var exitStatus: ExitStatus {
        switch self {
        case .dump: .dumpFailed
        case .archive: .archiveFailed
        case .damagedSet: .verificationFailed
        case .afterwards: .failed
        case .locked: .locked
        case .configuration: .configuration
        case .interrupted: ExitStatus(stoppedBy: StopRequest.signal)
        }
    }
}
