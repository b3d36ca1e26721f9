/// One thing that a restore makes, such as a database.
public struct RestorePlan: Sendable, Codable, Hashable {
    /// As the manifest calls it.
    public var item: String
    /// What it will be called, or where it will be.
    public var name: String
    /// What that which has the name now will be called; nil if nothing has it.
    public var kept: String?
    /// What it will take on disk, about.
    public var bytes: Int64

    public init(item: String, name: String, kept: String? = nil, bytes: Int64) {
        (self.item, self.name, self.kept, self.bytes) = (item, name, kept, bytes)
    }
}

/// What a restore has replaced, and kept under another name.
public struct KeptItem: Sendable, Codable, Hashable {
    /// What it was called.
    public var item: String
    /// What it is called now.
    public var name: String
    /// When it was replaced.
    public var since: Timestamp
    public var bytes: Int64

    public init(item: String, name: String, since: Timestamp, bytes: Int64) {
        (self.item, self.name, self.since, self.bytes) = (item, name, since, bytes)
    }
}

/// What a restore came to.
public struct RestoreOutcome: Sendable, Codable, Hashable {
    public var items: [RestoredItem]
    /// What the operator should know.
    public var findings: [Finding]
    /// By what it was restored, such as `server_version`.
    public var identity: [String: String]

    public init(items: [RestoredItem], findings: [Finding] = [], identity: [String: String] = [:]) {
        (self.items, self.findings, self.identity) = (items, findings, identity)
    }

    /// Whether nothing was found to differ from the manifest.
    public var isProven: Bool { items.allSatisfy(\.comparison.differences.isEmpty) }
}

/// One thing that was restored.
public struct RestoredItem: Sendable, Codable, Hashable {
    /// As the manifest calls it.
    public var item: String
    /// What it is called now, or where it is.
    public var name: String
    /// What is called otherwise since then, and can be dropped when it is not needed: `muster restore --drop-old`.
    public var kept: String?
    public var durationSeconds: Double
    public var comparison: RestoreComparison

    public init(
        item: String, name: String, kept: String? = nil, durationSeconds: Double, comparison: RestoreComparison
    ) {
        (self.item, self.name, self.kept) = (item, name, kept)
        (self.durationSeconds, self.comparison) = (durationSeconds, comparison)
    }
}

/// What was restored, compared with what the manifest says of it.
public struct RestoreComparison: Sendable, Codable, Hashable {
    /// What was compared and equal or not, such as `rows` or `indexes`, with how many there were of it.
    public var compared: [String: Int64]
    public var differences: [Difference]
    /// What could not be compared, such as `columns`: the manifest, of an older Muster, lacks it.
    public var notCompared: [String]

    public init(compared: [String: Int64] = [:], differences: [Difference] = [], notCompared: [String] = []) {
        (self.compared, self.differences, self.notCompared) = (compared, differences, notCompared)
    }

    /// Takes another part's comparison in.
    public mutating func add(_ other: RestoreComparison) {
        compared.merge(other.compared) { $0.plus($1) }
        differences += other.differences
        for fact in other.notCompared where !notCompared.contains(fact) { notCompared.append(fact) }
    }

    public struct Difference: Sendable, Codable, Hashable {
        /// What differs, such as `rows`: a key of `compared`.
        public var fact: String
        /// Such as `public.orders`.
        public var object: String
        /// As the manifest has it, and as it was restored.
        public var expected: String
        public var found: String

        public init(fact: String, object: String, expected: String, found: String) {
            (self.fact, self.object, self.expected, self.found) = (fact, object, expected, found)
        }
    }
}

extension RestoreComparison.Difference: CustomStringConvertible {
    public var description: String {
        // What a question expects is in the job file.
        let isOfQuestion = ["assertion", "freshness"].contains(fact)
        let values =
            isOfQuestion ? "expected \(expected), found \(found)" : "\(expected) in the manifest, \(found) restored"
        return "\(fact) of \(object): \(values)".onOneLine
    }
}
