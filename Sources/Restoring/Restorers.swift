import DumpCore
import Processes
import Settings

/// What puts back dumps, by the kinds of provider that made them.
public struct Restorers: Sendable {
    private let kinds: ProviderKinds
    private let runner: ProgramRunner

    public init(_ kinds: ProviderKinds, runner: ProgramRunner) { (self.kinds, self.runner) = (kinds, runner) }

    var all: [any Restorer] { all(of: nil) }

    /// - Parameter names: of kinds; nil is all.
    func all(of names: Set<String>?) -> [any Restorer] {
        kinds.all.filter { names?.contains($0.name) ?? true }.sorted { $0.name < $1.name }
            .compactMap { $0.restorer?(runner) }
    }

    /// Throws for a dump of a kind that this Muster cannot restore.
    func restorer(of dump: Manifest.DumpRecord) throws(DumpError) -> any Restorer {
        let kind: ProviderKind?
        do {
            kind = try kinds.kind(named: dump.provider)
        } catch {
            throw DumpError(
                .settings,
                "dump '\(dump.name)' is of plugin '\(dump.provider)', which cannot be used: \(error.message)",
                hint: error.hint)
        }
        guard let kind else {
            throw DumpError(
                .settings, "dump '\(dump.name)' is of plugin '\(dump.provider)', which is not installed here",
                hint: "Install it in /etc/muster/plugins, or name the directory that it is in: --plugin-path DIR.")
        }
        if let restorer = kind.restorer { return restorer(runner) }
        throw DumpError(
            .settings, "dump '\(dump.name)' is of kind '\(dump.provider)', which this Muster cannot restore",
            hint: "Take its files out of the archive with muster extract, and restore them with the kind's own means.")
    }

    func undoing(_ record: UndoRecord) -> (any Restorer)? {
        all.first { $0.undoneKinds.contains(record.kind) }
    }
}
