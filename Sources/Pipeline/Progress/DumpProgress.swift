import DumpCore
import Linux
import Reporting
import SystemPackage

/// Progress of the running units of all dumps: what their providers tell, else how large each has become in the set being built.
///
/// Works for every provider, because every provider fills the directory it is given.
actor DumpProgress: ProgressObserver {
    private let root: FilePath
    private let display: any ProgressDisplay
    private var running: [Running] = []
    private var ticker: Task<Void, Never>?

    private struct Running {
        var dump: String
        var unit: WorkUnit
        var progress: UnitProgress
        /// By the provider: what is staged need not be measured.
        var isTold = false
        var measuring = SparingMeasurement()

        func isOf(_ unit: WorkUnit, _ dump: String) -> Bool { self.dump == dump && self.unit == unit }
    }

    /// - Parameter root: the set being built; a dump's directory is below it under the dump's name.
    init(root: FilePath, display: any ProgressDisplay) {
        self.root = root
        self.display = display
    }

    func began(_ unit: WorkUnit, of dump: String) {
        running.append(
            Running(
                dump: dump, unit: unit, progress: UnitProgress(bytes: 0, expectedBytes: unit.estimatedBytes)))
        guard let interval = display.interval else { return }
        show()
        guard ticker == nil else { return }
        ticker = Task {
            while !Task.isCancelled {
                await measure()
                // Cancelled while asleep: the loop's condition says so.
                try? await Task.sleep(for: interval)
            }
        }
    }

    func moved(_ unit: WorkUnit, of dump: String, to progress: UnitProgress) {
        guard let place = running.firstIndex(where: { $0.isOf(unit, dump) }) else { return }
        running[place].progress = progress
        running[place].isTold = true
    }

    func ended(_ unit: WorkUnit, of dump: String) {
        running.removeAll { $0.isOf(unit, dump) }
        show()
    }

    /// Shows nothing from now on.
    func end() {
        ticker?.cancel()
        display.show([])
    }

    private func measure() async {
        let due = running.filter { !$0.isTold && $0.measuring.isDue(at: .now) }
        if !due.isEmpty {
            let paths = due.map { root.appending(escapedPathComponent($0.dump)).pushing($0.unit.path) }
            let measured = await onOwnThread { paths.map(Measured.init) }
            for (unit, measured) in zip(due, measured) { take(measured, of: unit) }
        }
        if !Task.isCancelled { show() }
    }

    /// What a directory held, and how long it took to add that up.
    private struct Measured: Sendable {
        let bytes: Int64
        let from: ContinuousClock.Instant
        let to: ContinuousClock.Instant

        init(_ path: FilePath) {
            from = .now
            bytes = FileTree(path).bytes()
            to = .now
        }
    }

    private func take(_ measured: Measured, of unit: Running) {
        guard let place = running.firstIndex(where: { $0.isOf(unit.unit, unit.dump) && !$0.isTold }) else { return }
        running[place].progress.bytes = measured.bytes
        running[place].measuring.took(from: measured.from, to: measured.to)
    }

    private func show() {
        display.show(
            running.map { ProgressLine(.dump, name: $0.dump, unit: $0.unit.name, progress: $0.progress) })
    }
}
