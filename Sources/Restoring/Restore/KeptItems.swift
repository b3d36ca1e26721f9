import DumpCore
import Logging
import Settings

/// What restores have replaced and kept: `muster restore --drop-old`.
public struct KeptItems: Sendable {
    /// Which kinds of things are asked for.
    public struct Scope: Sendable {
        /// What restorers find at their target, such as databases.
        public var ofTarget = true
        /// Files and directories of this host.
        public var ofHost = true
        /// The kinds of dumps whose targets are looked at; nil is all. A host need not have a server of each.
        public var kinds: Set<String>?

        public init() {}
    }

    let request: RestoreRequest
    let scope: Scope
    let restorers: Restorers
    /// Nil where none was ever made.
    let area: RestoreArea?
    let log: Logger

    public init(
        _ request: RestoreRequest, _ scope: Scope = Scope(), by restorers: Restorers, in area: RestoreArea?, log: Logger
    ) {
        (self.request, self.scope, self.restorers, self.area, self.log) = (request, scope, restorers, area, log)
    }

    /// By name.
    public func all() async throws -> [KeptItem] {
        try await found().map(\.item).sorted { $0.name < $1.name }
    }

    /// Removes them for good, and returns them. Throws, having removed none, if one of the names means nothing that was kept.
    ///
    /// - Parameter names: what each is called now, or was called; of several that were called so, all.
    public func drop(_ names: [String], rehearsal: Bool) async throws -> [KeptItem] {
        let found = try await found()
        let meant = found.filter { names.contains($0.item.name) || names.contains($0.item.item) }
        for name in names where !meant.contains(where: { $0.item.name == name || $0.item.item == name }) {
            let near = nearestWord(to: name, among: found.flatMap { [$0.item.item, $0.item.name] })
            throw DumpError(
                .settings, "no restore has kept anything called '\(name)'",
                hint: near.map { "Did you mean '\($0)'?" } ?? "To see what is kept: muster restore --drop-old.")
        }
        for (_, remove) in meant where !rehearsal { try await remove() }
        return meant.map(\.item)
    }

    private typealias Found = (item: KeptItem, remove: @Sendable () async throws -> Void)

    private func found() async throws -> [Found] {
        let trees = scope.ofHost ? try await trees() : []
        guard scope.ofTarget else { return trees }
        do {
            return try await ofTarget() + trees
        } catch {
            // A host without a server has directories all the same.
            guard request.target == nil, !trees.isEmpty else { throw error }
            log.warning("only files and directories are looked at", metadata: ["why": "\(error.message)"])
            return trees
        }
    }

    private func ofTarget() async throws(DumpError) -> [Found] {
        var found: [Found] = []
        for restorer in restorers.all(of: scope.kinds) {
            for item in try await restorer.kept(request, in: context) {
                found.append((item, { try await restorer.drop(item, request, in: context) }))
            }
        }
        return found
    }

    private func trees() async throws -> [Found] {
        guard let area else { return [] }
        return try await area.keptTrees().map { item in (item, { try await area.removeKept(item) }) }
    }

    private var context: RunContext { RunContext(runID: RunID(start: .now), dump: "restore", log: log) }

    /// For people.
    public static func text(_ items: [KeptItem]) -> String {
        guard !items.isEmpty else { return "no restore has kept anything" }
        return items.map { "\($0.name): was \($0.item) until \($0.since), \(formatBytes($0.bytes))" }.asLines
    }
}
