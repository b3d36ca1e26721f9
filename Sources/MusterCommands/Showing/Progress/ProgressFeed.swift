import DumpCore
import Reporting
import Synchronization

/// Takes progress in and gives it out to wherever it is to be seen, to each as often as it can bear.
///
/// Without `begin` it has no outputs, and nothing is measured.
final class ProgressFeed: ProgressDisplay, Sendable {
    static let shared = ProgressFeed()

    fileprivate struct State {
        var outputs: [Output] = []
        var paces: [ProgressKey: Pace] = [:]
    }

    fileprivate struct Output {
        var output: any ProgressOutput
        var lastShown: ContinuousClock.Instant
        var shown: Set<ProgressKey> = []
    }

    private let state = Mutex(State())

    /// Opens the outputs, before anything is shown.
    func begin(_ outputs: [any ProgressOutput]) {
        let now = ContinuousClock.now
        state.withLock { $0.outputs = outputs.map { Output(output: $0, lastShown: now) } }
    }

    var interval: Duration? {
        state.withLock { $0.outputs.map(\.output.interval).min() }
    }

    func show(_ lines: [ProgressLine]) {
        state.withLock { state in
            let now = ContinuousClock.now
            let readings = state.read(lines, at: now)
            let keys = Set(readings.map(\.line.key))
            for place in state.outputs.indices {
                let output = state.outputs[place]
                let isNews = output.output.showsEachBeginAndEnd && keys != output.shown
                // Who measures in the same step comes a little early now and then.
                let isTime = now - output.lastShown >= output.output.interval - .milliseconds(100)
                guard isNews || lines.isEmpty || isTime else { continue }
                output.output.show(readings)
                state.outputs[place].shown = keys
                if !lines.isEmpty { state.outputs[place].lastShown = now }
            }
        }
    }

    /// The command has ended. Nothing is shown from now on.
    func end(_ status: Int32) {
        state.withLock { state in
            for output in state.outputs {
                output.output.show([])
                output.output.end(status)
            }
            state.outputs = []
        }
    }
}

extension ProgressFeed.State {
    /// With the speed of each line. What is shown no longer is forgotten.
    fileprivate mutating func read(_ lines: [ProgressLine], at now: ContinuousClock.Instant) -> [ProgressReading] {
        var paces: [ProgressKey: Pace] = [:]
        let readings = lines.map { line in
            var pace = self.paces[line.key] ?? Pace()
            pace.note(line.progress.bytes, at: now)
            paces[line.key] = pace
            return ProgressReading(line, pace)
        }
        self.paces = paces
        return readings
    }
}

/// What a line is about, whatever it says.
struct ProgressKey: Hashable {
    var stage: ProgressLine.Stage
    var name: String?
    var unit: String?
}

extension ProgressLine {
    var key: ProgressKey { ProgressKey(stage: stage, name: name, unit: unit) }
}
