import DumpCore
import Processes
import Settings

/// What puts back dumps, by the kinds of provider that made them.
public struct Restorers: Sendable {
    private let kinds: ProviderKinds
    private let runner: ProgramRunner

    public init(_ kinds: ProviderKinds, runner: ProgramRunner) { (self.kinds, self.runner) = (kinds, runner) }

    var all: [any Restorer] { kinds.all.sorted { $0.name < $1.name }.compactMap { $0.restorer?(runner) } }

    /// Throws for a dump of a kind that this Muster cannot restore.
    func restorer(of dump: Manifest.DumpRecord) throws(DumpError) -> any Restorer {
        if let restorer = kinds.find(dump.provider)?.restorer { return restorer(runner) }
        throw DumpError(
            .settings, "dump '\(dump.name)' is of kind '\(dump.provider)', which this Muster cannot restore",
            hint: "Take its files out of the archive with muster extract, and restore them with the kind's own means.")
    }

    func undoing(_ record: UndoRecord) -> (any Restorer)? {
        all.first { $0.undoneKinds.contains(record.kind) }
    }
}
