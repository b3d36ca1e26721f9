import DumpCore

/// What a comparison with the manifest has come to so far.
struct ComparisonResult: Sendable {
    private(set) var compared: [String: Int64] = [:]
    private(set) var notCompared: [String] = []
    /// What differs without a fault of the restore, such as the version of an extension.
    private(set) var findings: [Finding] = []
    private var differences: [RestoreComparison.Difference] = []
    private var differing: [String: Int] = [:]

    /// A restore that went wrong may differ in every table. This many differences of one fact are named.
    private static let most = 100

    /// Compares the bytes of two texts: what Unicode calls equivalent is not the same to a server. Nil is shown as `none`.
    mutating func expect(_ fact: String, of object: String, _ expected: String?, found: String?) {
        compared[fact, default: 0] += 1
        switch (expected, found) {
        case (nil, nil): return
        case (let expected?, let found?) where expected.utf8.elementsEqual(found.utf8): return
        default: differ(fact, object, expected: expected ?? "none", found: found ?? "none")
        }
    }

    mutating func expect(_ fact: String, of object: String, _ expected: Int64, found: Int64) {
        expect(fact, of: object, String(expected), found: String(found))
    }

    /// Notes that something was equal.
    mutating func agree(_ fact: String, count: Int = 1) { compared[fact, default: 0] += Int64(count) }

    /// Notes a difference in what is counted already.
    mutating func differ(_ fact: String, _ object: String, expected: String, found: String) {
        differing[fact, default: 0] += 1
        guard differing[fact, default: 0] <= Self.most else { return }
        differences.append(
            RestoreComparison.Difference(fact: fact, object: object, expected: expected, found: found))
    }

    /// - Parameter what: a fact, and the reason in brackets unless it is that the manifest lacks it.
    mutating func leaveOut(_ what: String) { if !notCompared.contains(what) { notCompared.append(what) } }

    mutating func add(_ finding: Finding) { findings.append(finding) }

    var comparison: RestoreComparison {
        let unnamed = differing.filter { $0.value > Self.most }.sorted { $0.key < $1.key }.map {
            RestoreComparison.Difference(
                fact: $0.key, object: "\($0.value - Self.most) more", expected: "not shown", found: "not shown")
        }
        return RestoreComparison(compared: compared, differences: differences + unnamed, notCompared: notCompared)
    }
}
