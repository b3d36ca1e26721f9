import DumpCore

/// What a drill proves as a whole: a database, or a dump that has none.
struct DrillItem: Sendable, Hashable {
    var dump: String
    /// Nil for a dump without databases.
    var item: String?

    static func all(of manifest: Manifest) -> [DrillItem] {
        manifest.dumps.flatMap { dump in
            dump.databases.isEmpty
                ? [DrillItem(dump: dump.name)] : dump.databases.map { DrillItem(dump: dump.name, item: $0.name) }
        }
    }
}

/// Which part of a set a drill is to prove.
struct DrillSample: Sendable {
    let items: Set<DrillItem>
    let isWhole: Bool

    /// All of it.
    init(of manifest: Manifest) {
        items = Set(DrillItem.all(of: manifest))
        isWhole = true
    }

    /// Those that were proven longest ago, or never: after as many drills each was.
    ///
    /// - Parameter records: of the job, oldest first.
    init(of manifest: Manifest, oneOf drills: Int, after records: [DrillRecord]) {
        let all = DrillItem.all(of: manifest)
        let last = { (item: DrillItem) in records.lastIndex { $0.hasProven(item) } ?? -1 }
        let share = (all.count + drills - 1) / max(1, drills)
        let due = all.map { (item: $0, last: last($0)) }.sorted { $0.last < $1.last }
        items = Set(due.prefix(share).map(\.item))
        isWhole = items.count == all.count
    }

    /// Nil unless the dump is meant. No items are all of it.
    func items(of dump: Manifest.DumpRecord) -> [String]? {
        let meant = items.filter { $0.dump == dump.name }
        guard !meant.isEmpty else { return nil }
        let names = dump.databases.map(\.name).filter { meant.contains(DrillItem(dump: dump.name, item: $0)) }
        return names.count == dump.databases.count ? [] : names
    }
}
