import DumpCore
import Logging
import Settings

/// What restores have replaced and kept: `muster restore --drop-old`.
public struct KeptItems: Sendable {
    let request: RestoreRequest
    let restorers: Restorers
    let log: Logger

    public init(_ request: RestoreRequest, by restorers: Restorers, log: Logger) {
        (self.request, self.restorers, self.log) = (request, restorers, log)
    }

    /// By name.
    public func all() async throws(DumpError) -> [KeptItem] {
        try await found().map(\.item).sorted { $0.name < $1.name }
    }

    /// Removes them for good, and returns them. Throws, having removed none, if one of the names means nothing that was kept.
    ///
    /// - Parameter names: what each is called now, or was called; of several that were called so, all.
    public func drop(_ names: [String], rehearsal: Bool) async throws(DumpError) -> [KeptItem] {
        let found = try await found()
        let meant = found.filter { names.contains($0.item.name) || names.contains($0.item.item) }
        for name in names where !meant.contains(where: { $0.item.name == name || $0.item.item == name }) {
            let near = nearestWord(to: name, among: found.flatMap { [$0.item.item, $0.item.name] })
            throw DumpError(
                .settings, "no restore has kept anything called '\(name)'",
                hint: near.map { "Did you mean '\($0)'?" } ?? "To see what is kept: muster restore --drop-old.")
        }
        for (item, restorer) in meant where !rehearsal { try await restorer.drop(item, request, in: context) }
        return meant.map(\.item)
    }

    private func found() async throws(DumpError) -> [(item: KeptItem, restorer: any Restorer)] {
        var found: [(KeptItem, any Restorer)] = []
        for restorer in restorers.all {
            for item in try await restorer.kept(request, in: context) { found.append((item, restorer)) }
        }
        return found
    }

    private var context: RunContext { RunContext(runID: RunID(start: .now), dump: "restore", log: log) }

    /// For people.
    public static func text(_ items: [KeptItem]) -> String {
        guard !items.isEmpty else { return "no restore has kept anything" }
        return items.map { "\($0.name): was \($0.item) until \($0.since), \(formatBytes($0.bytes))" }.asLines
    }
}
