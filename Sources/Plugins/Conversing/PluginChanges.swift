import DumpCore
import Synchronization

/// The changes that one process of a plugin has made, on record in the run's journal until they are undone.
final class PluginChanges: Sendable {
    private let plugin: String
    private let run: RunContext
    private let undo: @Sendable (PluginChange, RunContext) async throws(DumpError) -> Void
    /// On record, and not undone. In the order in which they were made.
    private let open = Mutex<[(change: PluginChange, record: UndoRecord)]>([])

    /// - Parameter undo: undoes a change that the process has left when it has ended.
    init(
        of plugin: String, in run: RunContext,
        undoneBy undo: @escaping @Sendable (PluginChange, RunContext) async throws(DumpError) -> Void
    ) {
        (self.plugin, self.run, self.undo) = (plugin, run, undo)
    }

    /// Puts a change on record, before it is made.
    func record(_ said: PluginChange.Said) async throws(DumpError) {
        guard !open.withLock({ $0.contains { $0.change.said.id == said.id } }) else {
            throw fault("has two changes to undo of the name '\(said.id)'")
        }
        let change = PluginChange(plugin: plugin, said)
        let record = try await run.journal.record(change, of: run.dump)
        open.withLock { $0.append((change, record)) }
    }

    /// Removes the record of a change that the plugin has undone.
    func forget(_ id: String) async throws(DumpError) {
        let record = open.withLock { open in
            open.firstIndex { $0.change.said.id == id }.map { open.remove(at: $0).record }
        }
        guard let record else { throw fault("has undone '\(id)', which it never said") }
        try await run.journal.forget(record)
    }

    /// Undoes what the process has left, the newest first. What cannot be undone stays on record; the first reason is returned.
    func undoAll() async -> DumpError? {
        var failure: DumpError?
        for (change, record) in open.withLock({ $0 }).reversed() {
            // In a task of its own: our cancellation must not leave anything behind.
            let undone = await Task { [run, undo] in
                await Result.awaiting { () async throws(DumpError) in
                    try await undo(change, run)
                    try await run.journal.forget(record)
                }
            }.value
            if case .failure(let error) = undone { failure = failure ?? error.ofUndoing(change) }
        }
        return failure
    }

    private func fault(_ what: String) -> DumpError {
        DumpError(.pluginProtocol, "plugin '\(plugin)' \(what)", hint: DumpError.faultOfPlugin)
    }
}
