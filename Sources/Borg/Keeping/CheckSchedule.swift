import DumpCore

/// When a run checks a repository, and how: `check:` of a repository.
public struct CheckSchedule: Sendable, Equatable {
    /// How old the last check may become; nil never checks, unless data are verified.
    public var every: Duration?
    /// How old the last check of all data may become; nil never verifies them.
    public var verifyData: Duration?
    /// Makes of each check under `every` one in part.
    public var maxDuration: Duration?

    public init() {}

    /// The check that is due, or nil. One that verifies data stands for the other.
    ///
    /// - Parameters:
    ///   - lastCheck: when the last check of any kind that found no damage was made; nil if never.
    ///   - lastVerification: the same of all data.
    public func due(
        lastCheck: Timestamp?, lastVerification: Timestamp?, at now: Timestamp = .now
    ) -> RepositoryCheck? {
        if let verifyData, isPast(verifyData, since: lastVerification, now) { return .data }
        if let every, isPast(every, since: lastCheck, now) { return maxDuration.map { .part(atMost: $0) } ?? .full }
        return nil
    }

    /// A timer does not fire to the second: what is due in an hour, or in a twentieth of the interval, is due.
    private func isPast(_ interval: Duration, since last: Timestamp?, _ now: Timestamp) -> Bool {
        // A last time in the future was noted under another clock.
        guard let last, last <= now else { return true }
        let slack = min(interval / 20, .seconds(3600))
        return .milliseconds(now.milliseconds - last.milliseconds) >= interval - slack
    }
}
