import DumpCore

/// How to restore the same with Borg and each kind's own programs alone: `muster restore --print`.
public struct RestoreGuide: Sendable {
    public let text: String

    public init(of choice: RestoreChoice, from source: RestoreSource, by restorers: Restorers) throws {
        var lines = source.guide
        for (dump, request) in try choice.shares(of: source.manifest) {
            lines += ["", "# dump \(dump.name)"]
            lines += try restorers.restorer(of: dump).guide(to: request, of: dump)
        }
        text = lines.joined(separator: "\n")
    }
}
