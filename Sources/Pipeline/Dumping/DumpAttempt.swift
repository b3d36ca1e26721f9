import DumpCore

/// One attempt at all dumps of a run.
struct DumpAttempt: Sendable {
    let sizes: SizeCheck
    /// From 1.
    var number = 1
    /// What the first attempt found to dump, by the dump's name. Nil before that.
    var unitsAtFirst: [String: [WorkUnit]]?

    init(sizes: SizeCheck) { self.sizes = sizes }

    /// What was there at the first attempt and is not there now must not vanish from the set without a word.
    mutating func compare(_ prepared: PreparedJob) throws(DumpError) {
        let units = Dictionary(
            uniqueKeysWithValues: prepared.sources.compactMap { source in
                source.prepared.map { (source.name, $0.units) }
            })
        guard let unitsAtFirst else {
            self.unitsAtFirst = units
            return
        }
        for (dump, before) in unitsAtFirst.sorted(by: { $0.key < $1.key }) {
            let now = Set((units[dump] ?? []).map(\.path))
            guard let gone = before.first(where: { !now.contains($0.path) }) else { continue }
            throw DumpError(
                .incompleteDump, "'\(gone.name)' was there when the run began, and is gone",
                hint: "It was dropped or renamed during the run. If that was intended, run it again.",
                context: ["dump": dump])
        }
    }
}
