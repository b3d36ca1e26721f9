import DumpCore

/// What a walk has passed over: a pattern once, however much it leaves out, and as many directories as people would read.
struct OmissionList: Sendable {
    private var told: [Finding] = []
    private var seen: Set<Finding> = []
    private var counts: [String: Int] = [:]

    private static let limit = 100

    mutating func add(_ omission: Finding) {
        guard !seen.contains(omission) else { return }
        let count = counts[omission.code, default: 0]
        counts[omission.code] = count + 1
        guard count < Self.limit || omission.code == Selection.patternCode else { return }
        told.append(omission)
        seen.insert(omission)
    }

    /// In the order in which they came; then, for each kind of which there were too many, how many more.
    func findings(of tree: String) -> [Finding] {
        let more = counts.filter { $0.value > Self.limit && $0.key != Selection.patternCode }.sorted { $0.key < $1.key }
            .map { code, count in
                Finding(
                    .note, code, object: tree, "\(count - Self.limit) more directories are left out for the same reason"
                )
            }
        return told + more
    }
}
