import DumpCore
import SystemPackage

/// Shows the units that one process dumps: each begins when the plugin first tells how far it has come.
actor PluginProgress {
    private let units: [FilePath: WorkUnit]
    private let order: [WorkUnit]
    private var run: RunContext?
    private var running: [WorkUnit] = []
    private var done: Set<FilePath> = []
    private var most = 1

    init(_ units: [WorkUnit]) {
        order = units
        self.units = Dictionary(units.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// From now on it is shown.
    func begin(atOnce most: Int, in run: RunContext) { (self.most, self.run) = (max(1, most), run) }

    func moved(_ path: FilePath, to bytes: Int64) async {
        guard let run, let unit = units[path], !done.contains(path) else { return }
        if !running.contains(unit) { await begin(unit, in: run) }
        await run.progress.moved(
            unit, of: run.dump, to: UnitProgress(bytes: bytes, expectedBytes: unit.estimatedBytes))
    }

    /// All that it never told of has been done meanwhile.
    func end() async {
        guard let run else { return }
        self.run = nil
        for unit in running { await end(unit, in: run) }
        for unit in order where !done.contains(unit.path) {
            await run.progress.began(unit, of: run.dump)
            await end(unit, in: run)
        }
    }

    private func begin(_ unit: WorkUnit, in run: RunContext) async {
        // It told of no end: there are never more at once than it may do.
        if running.count >= most { await end(running.removeFirst(), in: run) }
        running.append(unit)
        await run.progress.began(unit, of: run.dump)
    }

    private func end(_ unit: WorkUnit, in run: RunContext) async {
        done.insert(unit.path)
        await run.progress.ended(unit, of: run.dump)
    }
}

extension RunContext {
    /// Does the work of several units in one turn, which is as wide as what is done at once.
    func perform<Result: Sendable>(
        _ units: [WorkUnit], jobs: Int, showing progress: PluginProgress,
        _ work: @Sendable () async throws(DumpError) -> Result
    ) async throws(DumpError) -> Result {
        let grant: WorkSlots.Grant
        do {
            grant = try await turns.slots.acquire(jobs, weight: units.lazy.map(\.estimatedBytes).total)
        } catch {
            throw DumpError(.cancelled, "the dump was cancelled before it began")
        }
        await progress.begin(atOnce: jobs, in: self)
        let outcome = await Swift.Result.awaiting { () async throws(DumpError) in try await work() }
        await progress.end()
        await turns.slots.release(grant)
        return try outcome.get()
    }
}
