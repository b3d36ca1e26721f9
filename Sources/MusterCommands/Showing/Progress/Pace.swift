import DumpCore
import Reporting

/// How fast something goes, by what it did in the last quarter of a minute.
struct Pace: Sendable {
    private var samples: [(at: ContinuousClock.Instant, bytes: Int64)] = []

    init() {}

    mutating func note(_ bytes: Int64, at now: ContinuousClock.Instant) {
        // Another count has begun.
        if let last = samples.last, bytes < last.bytes { samples = [] }
        // Told more often than that, the last two are too close to tell a speed from.
        if let last = samples.last, now - last.at < .milliseconds(400) { return }
        samples.append((now, bytes))
        // One that is older than the rest stays, so that there is a quarter of a minute to look back on.
        while samples.count > 2, now - samples[1].at > .seconds(15) { samples.removeFirst() }
    }

    /// Nil until it has been looked at for two seconds.
    var bytesPerSecond: Int64? {
        guard let first = samples.first, let last = samples.last, last.at - first.at >= .seconds(2) else { return nil }
        return Int64(nearest: (Double(last.bytes) - Double(first.bytes)) / ((last.at - first.at) / .seconds(1)))
    }

    /// Nil when it does not move, or the total is not known.
    func secondsLeft(of progress: UnitProgress) -> Int64? {
        guard let speed = bytesPerSecond, speed > 0, progress.expectedBytes > progress.bytes else { return nil }
        return (progress.expectedBytes - progress.bytes) / speed
    }
}

/// A line of progress, and how fast it goes.
struct ProgressReading: Sendable {
    var line: ProgressLine
    var bytesPerSecond: Int64?
    var secondsLeft: Int64?

    init(_ line: ProgressLine, _ pace: Pace = Pace()) {
        self.line = line
        bytesPerSecond = pace.bytesPerSecond
        secondsLeft = pace.secondsLeft(of: line.progress)
    }
}
