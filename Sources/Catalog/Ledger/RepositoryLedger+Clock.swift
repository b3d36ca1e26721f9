import Borg
import DumpCore
import Linux

/// What the ledger tells of the order and the time of archives.
extension RepositoryLedger {
    /// What was confirmed last, of these archives or of all.
    public func lastConfirmed(among archives: [Archive]? = nil) -> Confirmed? {
        let ids = archives.map { Set($0.map(\.id)) }
        return confirmed.last { ids?.contains($0.id) ?? true }
    }

    public func confirmation(of archive: Archive) -> Confirmed? { confirmed.last { $0.id == archive.id } }

    /// The first second from `time` on that no archive of this series is named after. There is one where two runs begin within
    /// a second, or where the clock was set back.
    public func vacantTime(from time: Timestamp, in series: ArchiveSeries) -> Timestamp {
        let names = Set(confirmed.map(\.archive) + begun.map(\.archive))
        var time = time
        while names.contains(series.name(at: time)) { time = Timestamp(milliseconds: time.milliseconds + 1000) }
        return time
    }

    /// The jump of the clock that is not accounted for, now that it shows this; nil if it did not jump.
    public func jump(at now: ClockReading) -> ClockJump? {
        if let clockJump { return clockJump.isUndone(at: now.time) ? nil : clockJump }
        return lastReading.flatMap { ClockJump(from: $0, to: now) }
    }

    /// Takes what the clocks show as that which the next reading is compared with.
    public mutating func notice(_ now: ClockReading) {
        clockJump = jump(at: now)
        clock = now
    }

    /// What the operator vouches for: the time of day is what the clock shows.
    public mutating func trust(_ now: ClockReading) {
        clockJump = nil
        clock = now
    }

    /// Muster 0.1.0 noted the time of day only.
    private var lastReading: ClockReading? {
        clock ?? confirmed.last.map { ClockReading(time: $0.confirmedAt, bootID: "", millisecondsUp: 0) }
    }
}

extension RepositoryLedger.Confirmed: Comparable {
    /// By the order in which they were confirmed, in whatever repository.
    public static func < (left: Self, right: Self) -> Bool {
        (left.number ?? 0, left.confirmedAt) < (right.number ?? 0, right.confirmedAt)
    }
}
