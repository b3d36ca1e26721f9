import DumpCore

/// One piece of work that goes on, and how far it is.
public struct ProgressLine: Sendable, Hashable {
    public enum Stage: String, Sendable, Codable {
        case dump, archive, extract, verify, restore

        /// Whether a line's name is that of a repository.
        public var isOfRepository: Bool { self == .archive || self == .extract }
    }

    public var stage: Stage
    /// The dump or the repository that is worked on; nil for all of a set.
    public var name: String?
    /// The unit of the dump, such as a database.
    public var unit: String?
    public var progress: UnitProgress

    public init(_ stage: Stage, name: String? = nil, unit: String? = nil, progress: UnitProgress) {
        self.stage = stage
        self.name = name
        self.unit = unit
        self.progress = progress
    }

    /// For people: `app shop` for a unit of a dump, else what is done with what, such as `archive offsite`.
    public var label: String {
        ([.dump, .restore].contains(stage) ? [name, unit] : [stage.rawValue, name]).compactMap(\.self).joined(
            separator: " ")
    }
}

/// Where progress is shown.
public protocol ProgressDisplay: Sendable {
    /// How often it is worth measuring; nil where progress is not shown.
    var interval: Duration? { get }
    /// Replaces what was shown.
    func show(_ lines: [ProgressLine])
}

/// Shows nothing.
public struct NoDisplay: ProgressDisplay {
    public init() {}
    public var interval: Duration? { nil }
    public func show(_ lines: [ProgressLine]) {}
}
