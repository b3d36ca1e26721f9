import DumpCore
import Linux
import SystemPackage

/// Progress by what has been staged: looks twice a second how large each running unit has become.
///
/// Works for every provider, because every provider fills the directory it is given.
actor StagedProgress: ProgressObserver {
    private let root: FilePath
    private let display: any ProgressDisplay
    private var running: [(dump: String, unit: WorkUnit)] = []
    private var ticker: Task<Void, Never>?

    /// - Parameter root: the set being built; a dump's directory is below it under the dump's name.
    init(root: FilePath, display: any ProgressDisplay) {
        self.root = root
        self.display = display
    }

    func began(_ unit: WorkUnit, of dump: String) {
        running.append((dump, unit))
        guard display.isLive, ticker == nil else { return }
        ticker = Task {
            while !Task.isCancelled {
                await show()
                // Cancelled while asleep: the loop's condition says so.
                try? await Task.sleep(for: .milliseconds(500))
            }
        }
    }

    func ended(_ unit: WorkUnit, of dump: String) {
        running.removeAll { $0.dump == dump && $0.unit == unit }
    }

    /// Shows nothing any more.
    func end() {
        ticker?.cancel()
        display.show([])
    }

    private func show() async {
        let running = running
        let root = root
        let lines = await onOwnThread {
            running.map { dump, unit in
                let path = root.appending(escapedPathComponent(dump)).pushing(unit.path)
                return ProgressLine(
                    label: "\(dump) \(unit.name)", bytes: FileTree(path).bytes(), expectedBytes: unit.estimatedBytes)
            }
        }
        if !Task.isCancelled { display.show(lines) }
    }
}
