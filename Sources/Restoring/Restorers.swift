import DumpCore
import Processes
import Settings

/// What puts back dumps, by the kinds of provider that made them.
public struct Restorers: Sendable {
    private let restorers: [String: any Restorer]

    public init(_ kinds: ProviderKinds, runner: ProgramRunner) {
        restorers = Dictionary(
            kinds.all.compactMap { kind in kind.restorer.map { (kind.name, $0(runner)) } },
            uniquingKeysWith: { first, _ in first })
    }

    var all: [any Restorer] { restorers.sorted { $0.key < $1.key }.map(\.value) }

    /// Throws for a dump of a kind that this Muster cannot restore.
    func restorer(of dump: Manifest.DumpRecord) throws(DumpError) -> any Restorer {
        if let restorer = restorers[dump.provider] { return restorer }
        throw DumpError(
            .settings, "dump '\(dump.name)' is of kind '\(dump.provider)', which this Muster cannot restore",
            hint: "Take its files out of the archive with muster extract, and restore them with the kind's own means.")
    }

    func undoing(_ record: UndoRecord) -> (any Restorer)? {
        all.first { $0.undoneKinds.contains(record.kind) }
    }
}
