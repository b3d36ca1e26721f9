import DumpCore
import Reporting

/// Shows how far each unit of a restore has come, as its restorer tells.
actor RestoreProgress: ProgressObserver {
    private let display: any ProgressDisplay
    private var running: [(dump: String, unit: WorkUnit, progress: UnitProgress)] = []

    init(display: any ProgressDisplay) { self.display = display }

    func began(_ unit: WorkUnit, of dump: String) {
        running.append((dump, unit, UnitProgress(bytes: 0, expectedBytes: unit.estimatedBytes)))
        show()
    }

    func moved(_ unit: WorkUnit, of dump: String, to progress: UnitProgress) {
        guard let place = running.firstIndex(where: { $0.dump == dump && $0.unit == unit }) else { return }
        running[place].progress = progress
        show()
    }

    func ended(_ unit: WorkUnit, of dump: String) {
        running.removeAll { $0.dump == dump && $0.unit == unit }
        show()
    }

    private func show() {
        display.show(
            running.map { ProgressLine(.restore, name: $0.dump, unit: $0.unit.name, progress: $0.progress) })
    }
}
