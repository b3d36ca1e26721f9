import DumpCore
import Glibc
import Reporting
import Synchronization

/// Events as JSON on standard error, one on a line. They say when a piece of work began, how far it is, and when it ended. The last line of
/// all is the command's end.
final class ScriptProgress: ProgressOutput {
    let interval = Duration.seconds(1)
    let showsEachBeginAndEnd = true
    private let last = Mutex<[ProgressReading]>([])

    func show(_ readings: [ProgressReading]) {
        let before = last.withLock { last in
            defer { last = readings }
            return last
        }
        let keys = Set(readings.map(\.line.key))
        for reading in before where !keys.contains(reading.line.key) { print(ProgressEvent(.ended, reading)) }
        let known = Set(before.map(\.line.key))
        for reading in readings {
            print(ProgressEvent(known.contains(reading.line.key) ? .moved : .began, reading))
        }
    }

    func end(_ status: Int32) { print(ProgressEvent(exitStatus: status)) }

    private func print(_ event: ProgressEvent) {
        // There is nothing in an event that JSON could not say.
        guard let line = try? jsonLine(event) else { return }
        Console.shared.logLine(line, .info, [], elsewhere: "")
    }
}

/// The shape of a line; members that do not apply are left out. New members may come, none goes.
private struct ProgressEvent: Encodable {
    enum Kind: String, Encodable { case began, moved, ended, finished }

    var event: Kind
    var time = Timestamp.now
    var stage: ProgressLine.Stage?
    var dump: String?
    var repository: String?
    var unit: String?
    var bytes: Int64?
    var expectedBytes: Int64?
    var bytesPerSecond: Int64?
    var secondsLeft: Int64?
    var detail: String?
    var exitStatus: Int32?

    init(_ event: Kind, _ reading: ProgressReading) {
        let line = reading.line
        self.event = event
        stage = line.stage
        dump = line.stage == .dump ? line.name : nil
        repository = line.stage.isOfRepository ? line.name : nil
        unit = line.unit
        bytes = line.progress.bytes
        expectedBytes = line.progress.expectedBytes > 0 ? line.progress.expectedBytes : nil
        guard event == .moved else { return }
        bytesPerSecond = reading.bytesPerSecond
        secondsLeft = reading.secondsLeft
        detail = line.progress.detail
    }

    init(exitStatus: Int32) {
        event = .finished
        self.exitStatus = exitStatus
    }
}
