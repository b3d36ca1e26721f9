import DumpCore
import Synchronization

/// Tells work on other threads to end. Threads heed no cancellation of a task by themselves.
public final class StopSign: Sendable {
    private let flag = Atomic(false)

    public init() {}

    public func raise() { flag.store(true, ordering: .relaxed) }

    public var isRaised: Bool { flag.load(ordering: .relaxed) }

    /// To be called between two pieces of work of a moment each.
    public func check<Kind: StoppableCode>(_ type: CodedError<Kind>.Type) throws(CodedError<Kind>) {
        if isRaised { throw .stopped }
    }
}

/// The codes of a module whose work may be stopped.
public protocol StoppableCode: ErrorCode {
    static var cancelled: Self { get }
    /// What is said of it, such as `the dump was cancelled`.
    static var cancellation: String { get }
}

/// The error that work on other threads ends with when it was stopped.
extension CodedError where Kind: StoppableCode {
    public static var stopped: Self { Self(.cancelled, Kind.cancellation) }
    public var isStopped: Bool { code == .cancelled }
}

extension DumpErrorCode: StoppableCode {
    public static var cancellation: String { "the dump was cancelled" }
}

/// Runs work whose stop sign the cancellation of our task raises.
public func stoppable<Success: Sendable, Failure: Error>(
    _ work: (StopSign) async throws(Failure) -> Success
) async throws(Failure) -> Success {
    let stop = StopSign()
    // The handler loses the type of what is thrown.
    let outcome = await withTaskCancellationHandler {
        await Result.awaiting { () async throws(Failure) in try await work(stop) }
    } onCancel: {
        stop.raise()
    }
    return try outcome.get()
}

/// Runs blocking work on a thread of its own, and raises its stop sign when our task is cancelled.
public func onOwnThreadUntilCancelled<Success: Sendable, Failure: Error>(
    _ work: @escaping @Sendable (StopSign) throws(Failure) -> Success
) async throws(Failure) -> Success {
    try await stoppable { stop throws(Failure) in
        try await onOwnThread { () throws(Failure) in try work(stop) }
    }
}
