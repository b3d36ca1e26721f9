import DumpCore
import Linux

/// A jump of this host's clock: what archives are dated by is not how they followed one another.
public struct ClockJump: Sendable, Codable, Hashable {
    /// What the clock showed when an archive was confirmed, and what it showed the next time.
    public var before: Timestamp
    public var after: Timestamp

    init(before: Timestamp, after: Timestamp) {
        self.before = before
        self.after = after
    }

    /// Nil if the clock may well have gone on by itself.
    ///
    /// While the system is up, a second clock tells how much time has passed. Over a start of the system no clock does, and a host
    /// may have been off for some time.
    init?(from earlier: ClockReading, to now: ClockReading) {
        let moved = now.time.milliseconds - earlier.time.milliseconds
        let sameStart = !earlier.bootID.isEmpty && earlier.bootID == now.bootID
        let passed = sameStart ? now.millisecondsUp.minus(earlier.millisecondsUp) : 0
        let mostAhead = sameStart ? 2 * Self.day : 14 * Self.day
        let jump = moved.minus(passed)
        guard jump < -Self.mostBehind || jump > mostAhead else { return nil }
        self.init(before: earlier.time, after: now.time)
    }

    /// Whether the clock shows again what it would without the jump. An archive that was dated ahead meanwhile shows by itself.
    func isUndone(at now: Timestamp) -> Bool {
        after < before
            ? now >= before : now.milliseconds < after.milliseconds - Self.mostBehind
    }

    /// In milliseconds. Corrections of a clock that is a little fast or slow are no jumps.
    public static let mostBehind: Int64 = 3_600_000
    private static let day: Int64 = 86_400_000
}
