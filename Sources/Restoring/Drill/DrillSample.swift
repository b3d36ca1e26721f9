import DumpCore

/// What a drill proves as a whole: a database, a slice of a dump, or a dump that has neither.
struct DrillItem: Sendable, Hashable {
    var dump: String
    /// Nil for a dump that is not divided.
    var item: String?
}

/// What each dump of a set is divided into, by its name: databases, or slices. Empty for one that is not.
struct DrillDivision: Sendable {
    private(set) var items: [String: [String]] = [:]

    init(of manifest: Manifest) {
        for dump in manifest.dumps { items[dump.name] = dump.databases.map(\.name) }
    }

    mutating func divide(_ dump: Manifest.DumpRecord, into slices: [String]) {
        // One is the whole.
        if slices.count > 1 { items[dump.name] = slices }
    }

    func all(of manifest: Manifest) -> [DrillItem] {
        manifest.dumps.flatMap { dump in
            let items = items[dump.name] ?? []
            return items.isEmpty
                ? [DrillItem(dump: dump.name)] : items.map { DrillItem(dump: dump.name, item: $0) }
        }
    }
}

/// Which part of a set a drill is to prove.
struct DrillSample: Sendable {
    let items: Set<DrillItem>
    let isWhole: Bool
    private let division: DrillDivision

    /// All of it.
    init(of manifest: Manifest) {
        division = DrillDivision(of: manifest)
        items = Set(division.all(of: manifest))
        isWhole = true
    }

    /// Those that were proven longest ago, or never: after as many drills each was.
    ///
    /// - Parameter records: of the job, oldest first.
    init(of manifest: Manifest, _ division: DrillDivision, oneOf drills: Int, after records: [DrillRecord]) {
        self.division = division
        let all = division.all(of: manifest)
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
        let all = division.items[dump.name] ?? []
        let names = all.filter { meant.contains(DrillItem(dump: dump.name, item: $0)) }
        return names.count == all.count ? [] : names
    }
}
