import DumpCore
import Glibc

/// What this host's clocks showed at one instant: the time of day, and how long the system has been up.
public struct ClockReading: Sendable, Codable, Hashable {
    public var time: Timestamp
    /// Changes with each start of the system.
    public var bootID: String
    /// Time asleep included; no change of the time of day moves it.
    public var millisecondsUp: Int64

    public init(time: Timestamp, bootID: String, millisecondsUp: Int64) {
        self.time = time
        self.bootID = bootID
        self.millisecondsUp = millisecondsUp
    }

    public static var now: ClockReading {
        var up = timespec()
        clock_gettime(CLOCK_BOOTTIME, &up)
        return ClockReading(
            time: .now, bootID: ProcessIdentity.current.bootID,
            millisecondsUp: Int64(up.tv_sec) * 1000 + Int64(up.tv_nsec) / 1_000_000)
    }
}
