import DumpCore

/// What became of the units of one dump.
struct UnitOutcomes {
    private(set) var parts: [DumpedPart] = []
    private(set) var globals: DumpedPart?
    /// Databases that were dropped before they were frozen.
    var gone: [Finding] = []
    private var failures: [Failure] = []

    private struct Failure {
        var unit: WorkUnit
        var error: DumpError
        /// What ended the whole dump comes first.
        var rank: (Int, String) { (error.leavesOthersAChance ? 1 : 0, unit.name) }
    }

    var leaveOthersAChance: Bool { failures.allSatisfy { $0.error.leavesOthersAChance } }

    mutating func add(_ outcome: Result<DumpedPart, DumpError>, of unit: WorkUnit) {
        switch outcome {
        case .success(let part):
            parts.append(part)
            if unit == Cluster.globals { globals = part }
        case .failure(let error): failures.append(Failure(unit: unit, error: error))
        }
    }

    /// One error for all, or nil if there was none. Units that were cancelled because another failed do not count.
    func failure(among units: Int) -> DumpError? {
        let causes = failures.filter { $0.error.code != .cancelled }.sorted { $0.rank < $1.rank }
        guard let first = causes.first?.error else { return failures.first?.error }
        guard causes.count > 1 else { return first }
        var sum = DumpError(
            first.code, "\(causes.count) of \(units) parts failed, first: \(first.message)", hint: first.hint,
            context: first.context, isTransient: causes.allSatisfy(\.error.isTransient), underlying: first)
        for cause in causes.dropFirst() { sum.context["'\(cause.unit.name)'"] = cause.error.message }
        return sum
    }
}

extension DumpError {
    /// Whether the other databases of the same dump may still be worth dumping.
    fileprivate var leavesOthersAChance: Bool {
        [.programFailed, .incompleteDump, .snapshotLost, .stalled].contains(code)
    }
}
