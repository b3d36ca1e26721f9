/// How often, and after what waits, work is retried after a transient failure.
public struct Retry: Sendable, Equatable {
    /// How many times after the first; 0 is never.
    public var times: Int
    /// Before the first of them; each further wait is twice as long.
    public var wait: Duration

    public init(times: Int = 2, wait: Duration = .seconds(10)) {
        self.times = times
        self.wait = wait
    }

    /// The wait after an attempt that failed; attempts are counted from 1.
    public func wait(after attempt: Int) -> Duration { wait * (1 << min(attempt - 1, 16)) }
}
