import Catalog
import DumpCore
import Settings

/// What an operator wants restored, over all dumps of a set.
public struct RestoreChoice: Sendable {
    /// Names of dumps; none is all, or those that have what is wanted.
    public var dumps: [String] = []
    /// Names of databases.
    public var databases: [String] = []
    /// Files or directories in one dump that is a tree.
    public var paths: [String] = []
    /// Each dump's share of it is made from this.
    public var request = RestoreRequest()

    public init() {}

    /// The dumps that are meant, in the order of the manifest, each with what is wanted of it.
    ///
    /// Throws `.settings`, with the nearest names, for what the set does not have.
    func shares(of manifest: Manifest) throws(DumpError) -> [(dump: Manifest.DumpRecord, request: RestoreRequest)] {
        let named = try dumps.isEmpty ? manifest.dumps : named(in: manifest)
        var shares: [(Manifest.DumpRecord, RestoreRequest)] = []
        for dump in named where isMeant(dump) {
            shares.append((dump, dump.tree == nil ? share(ofServer: dump) : shareOfTree))
        }
        try requireAll(databases, in: shares.flatMap { $0.0.databases.map(\.name) }, of: named)
        try requireOneName(shares)
        return shares
    }

    /// What of a set is looked at before anything is fetched, if its manifest is like this one.
    public func foresight(by restorers: Restorers) -> ArchiveCatalog.Foresight {
        { manifest in
            // A choice that does not fit this manifest may fit the other.
            ((try? shares(of: manifest)) ?? []).compactMap { dump, request in
                guard let restorer = try? restorers.restorer(of: dump) else { return nil }
                return (dump, restorer.examinedFiles(of: dump, for: request))
            }
        }
    }

    private func share(ofServer dump: Manifest.DumpRecord) -> RestoreRequest {
        var share = request
        share.items = databases.filter(dump.databases.map(\.name).contains)
        return share
    }

    /// Where a server is reached says nothing of a directory.
    private var shareOfTree: RestoreRequest {
        var share = RestoreRequest()
        (share.placement, share.items, share.jobs) = (request.placement, paths, request.jobs)
        return share
    }

    private func named(in manifest: Manifest) throws(DumpError) -> [Manifest.DumpRecord] {
        for name in dumps where !manifest.dumps.contains(where: { $0.name == name }) {
            throw missing("dump '\(name)'", nearest: name, among: manifest.dumps.map(\.name))
        }
        return manifest.dumps.filter { dumps.contains($0.name) }
    }

    /// Without a word on it, a dump is meant whole.
    private func isMeant(_ dump: Manifest.DumpRecord) -> Bool {
        guard !databases.isEmpty || !paths.isEmpty else { return true }
        if dump.tree != nil { return !paths.isEmpty }
        return dump.databases.contains { databases.contains($0.name) }
    }

    private func requireAll(
        _ wanted: [String], in found: [String], of dumps: [Manifest.DumpRecord]
    ) throws(DumpError) {
        let known = dumps.flatMap { $0.databases.map(\.name) }
        for name in wanted where !found.contains(name) {
            throw missing("database '\(name)'", nearest: name, among: known)
        }
        guard paths.isEmpty || dumps.contains(where: { $0.tree != nil }) else {
            throw DumpError(
                .settings, "a path was named, and no dump that is meant is a directory",
                hint: "Name the dump: --dump NAME.")
        }
    }

    /// One name fits one thing.
    private func requireOneName(
        _ shares: [(Manifest.DumpRecord, RestoreRequest)]
    ) throws(DumpError) {
        guard case .named(let name) = request.placement else { return }
        let things = shares.map { dump, share in
            dump.tree != nil ? 1 : share.items.isEmpty ? dump.databases.count : share.items.count
        }
        guard things.reduce(0, +) != 1 else { return }
        throw DumpError(
            .settings, "'\(name)' is one name, and \(things.reduce(0, +)) things are to be restored",
            hint: "Name one of them: --database NAME, or --dump NAME of a directory.")
    }

    private func missing(_ what: String, nearest name: String, among known: [String]) -> DumpError {
        let guess = nearestWord(to: name, among: known).map { "Did you mean '\($0)'? " } ?? ""
        let shown = known.prefix(10).joined(separator: ", ") + (known.count > 10 ? ", …" : "")
        return DumpError(.settings, "there is no \(what) in it", hint: "\(guess)It has: \(shown).")
    }
}
