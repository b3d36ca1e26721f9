import DumpCore

/// Holds what a plugin says of a restore against the manifest: its word alone proves nothing.
struct RestoreReview: Sendable {
    private let plugin: String
    /// By item. Empty if the manifest does not divide the dump.
    private let databases: [String: [DatabaseContents]]
    /// What must be restored.
    private let expected: [String]

    /// - Parameter items: what the operator asked for; none is all of the dump.
    init(_ plugin: String, _ items: [String], of dump: Manifest.DumpRecord) {
        self.plugin = plugin
        let known = Dictionary(grouping: dump.databases, by: \.name)
        databases = known
        // What the manifest does not call so, the plugin must find or refuse.
        expected = items.isEmpty ? known.keys.sorted() : items.filter { known[$0] != nil }
    }

    /// Throws unless each item is there once, and nothing else is.
    ///
    /// - Parameters:
    ///   - items: what was restored, or would be.
    ///   - verb: such as `restored`.
    ///   - omissions: what a restore of everything leaves out, and says so.
    func require(_ items: [String], _ verb: String, besides omissions: [Finding] = []) throws(DumpError) {
        guard Set(items).count == items.count else {
            let twice = items.first { item in items.count { $0 == item } > 1 } ?? ""
            throw fault("says that it \(verb) '\(twice)' twice")
        }
        if !databases.isEmpty, let stranger = items.first(where: { databases[$0] == nil }) {
            throw fault("says that it \(verb) '\(stranger)', which is not in the dump")
        }
        let omitted = Set(omissions.map(\.object))
        if let missing = expected.first(where: { !items.contains($0) && !omitted.contains($0) }) {
            throw fault("did not say that it \(verb) '\(missing)', which the dump has")
        }
    }

    /// Throws for an item that was compared with something else than the dump, or with nothing.
    ///
    /// - Parameter isProof: words on what could not be compared are not enough.
    func require(comparisonOf item: RestoredItem, isProof: Bool) throws(DumpError) {
        let comparison = item.comparison
        guard comparison.differences.isEmpty else { return }
        if comparison.compared.isEmpty, isProof || comparison.notCompared.isEmpty {
            throw fault("restored '\(item.item)' and compared nothing of it with the dump")
        }
        for (name, counted) in [("tables", tables(of: item)), ("rows", rows(of: item))] {
            guard let counted, let compared = comparison.compared[name], compared != counted else { continue }
            throw fault("compared \(compared) \(name) of '\(item.item)', of which the dump has \(counted)")
        }
    }

    /// Nil if the manifest lists none.
    private func tables(of item: RestoredItem) -> Int64? {
        let tables = databases[item.item]?.flatMap(\.tables) ?? []
        return tables.isEmpty ? nil : Int64(tables.count)
    }

    private func rows(of item: RestoredItem) -> Int64? {
        let tables = databases[item.item]?.flatMap(\.tables) ?? []
        return tables.isEmpty ? nil : tables.lazy.map(\.rows).total
    }

    private func fault(_ what: String) -> DumpError {
        DumpError(.notRestored, "plugin '\(plugin)' \(what)", hint: DumpError.faultOfPlugin)
    }
}
