import DumpCore

/// One line of a display of what is going on.
public struct ProgressLine: Sendable, Hashable {
    /// What is being worked on, such as `app shop`.
    public var label: String
    public var bytes: Int64
    /// What `bytes` is expected to become; 0 when nobody knows.
    public var expectedBytes: Int64

    public init(label: String, bytes: Int64, expectedBytes: Int64) {
        self.label = label
        self.bytes = bytes
        self.expectedBytes = expectedBytes
    }
}

/// Where progress is shown.
public protocol ProgressDisplay: Sendable {
    /// Whether anybody looks. Where nobody does, progress is not even measured.
    var isLive: Bool { get }
    /// Replaces what was shown.
    func show(_ lines: [ProgressLine])
}

/// Shows nothing.
public struct NoDisplay: ProgressDisplay {
    public init() {}
    public var isLive: Bool { false }
    public func show(_ lines: [ProgressLine]) {}
}
