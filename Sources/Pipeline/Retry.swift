import DumpCore

/// How often, and after what waits, dumps are taken anew after a failure that passes.
public struct Retry: Sendable, Equatable {
    /// How many times after the first; 0 is never.
    public var times: Int
    /// Before the first of them; each further wait is twice as long.
    public var wait: Duration

    public init(times: Int = 2, wait: Duration = .seconds(10)) {
        self.times = times
        self.wait = wait
    }

    /// The wait after an attempt that failed; attempts are counted from 1.
    func wait(after attempt: Int) -> Duration { wait * (1 << min(attempt - 1, 16)) }
}

/// One attempt at all dumps of a run.
struct DumpAttempt: Sendable {
    let sizes: SizeCheck
    /// From 1.
    var number = 1
    /// What the first attempt found to dump, by the dump's name. Nil while nobody has looked.
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
                hint: "It was dropped or renamed meanwhile. If that is as it should be, run it again.",
                context: ["dump": dump])
        }
    }
}
