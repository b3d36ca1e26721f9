import DumpCore
import Glibc
import Linux
import Logging
import Reporting
import Synchronization

/// One place where progress is to be seen.
protocol ProgressOutput: Sendable {
    /// How often, at most.
    var interval: Duration { get }
    /// Whether the start and the end of each line are shown however short it was.
    var showsEachBeginAndEnd: Bool { get }
    /// Replaces what was shown.
    func show(_ readings: [ProgressReading])
    /// The command has ended, and nothing more is shown.
    func end(_ status: Int32)
}

/// Lines at the bottom of the terminal.
final class TerminalProgress: ProgressOutput {
    let interval = Duration.milliseconds(500)
    let showsEachBeginAndEnd = true
    /// The widest so far: columns that jump at each line's end are hard to read.
    private let labelWidth = Mutex(0)

    func show(_ readings: [ProgressReading]) {
        let size = Console.shared.size
        let labelWidth = labelWidth.withLock { widest in
            widest = min(30, readings.reduce(widest) { max($0, $1.line.label.columns) })
            return widest
        }
        // One row stays free for the cursor, one for what was there before.
        let room = max(size.rows - 2, 1)
        let (shown, more) =
            readings.count <= room ? (readings, 0) : (Array(readings.prefix(room - 1)), readings.count - room + 1)
        var lines = shown.map { $0.text(width: size.columns - 1, labelWidth: labelWidth) }
        if more > 0 { lines.append("and \(more) more") }
        Console.shared.show(lines)
    }

    func end(_ status: Int32) {}
}

/// Lines in the log, where there is no terminal to draw on.
struct LoggedProgress: ProgressOutput {
    let log: Logger
    let interval = Duration.seconds(30)
    let showsEachBeginAndEnd = false

    func show(_ readings: [ProgressReading]) {
        for reading in readings {
            let line = reading.line
            var facts: Logger.Metadata = [
                line.stage.isOfRepository ? "repository" : "dump": "\(line.name ?? "")", "unit": "\(line.unit ?? "")",
                "bytes": "\(line.progress.bytes)", "now": "\(line.progress.detail ?? "")",
                "expected_bytes": line.progress.expectedBytes > 0 ? "\(line.progress.expectedBytes)" : "",
                "left": "\(reading.secondsLeft.map(shortDuration) ?? "")",
            ]
            facts = facts.filter { $0.value != "" }
            log.info("\(line.stage.rawValue) goes on", metadata: facts)
        }
    }

    func end(_ status: Int32) {}
}

/// The line that `systemctl status` shows of our service, and a sign of life whenever something has moved.
final class ServiceProgress: ProgressOutput {
    private let service: ServiceNotification
    let interval = Duration.seconds(2)
    let showsEachBeginAndEnd = true
    private let bytes = Mutex<[ProgressKey: Int64]>([:])

    init(service: ServiceNotification) { self.service = service }

    func show(_ readings: [ProgressReading]) {
        if haveMoved(to: Dictionary(readings.map { ($0.line.key, $0.line.progress.bytes) }) { max($0, $1) }) {
            SignOfLife.give()
        }
        guard let first = readings.first else { return }
        let others = readings.count > 1 ? " (and \(readings.count - 1) more)" : ""
        service.say(status: "\(first.line.stage.rawValue) \(first.summary)\(others)")
    }

    func end(_ status: Int32) {
        service.say(status: ExitStatus(rawValue: status)?.meaning ?? "ended with status \(status)")
    }

    private func haveMoved(to now: [ProgressKey: Int64]) -> Bool {
        bytes.withLock { bytes in
            defer { bytes = now }
            return now != bytes
        }
    }
}
