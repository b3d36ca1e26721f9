import DumpCore

/// How a job is doing, in one word. The worst of its parts counts.
public enum Verdict: String, Sendable, Codable, CaseIterable, Comparable {
    case ok, warning, failed

    /// As people read it: `OK`, `WARNING`, `FAILED`.
    public var word: String { rawValue.uppercased() }

    public init(_ severity: Finding.Severity) {
        switch severity {
        case .note: self = .ok
        case .warning: self = .warning
        case .failure: self = .failed
        }
    }

    public static func < (left: Self, right: Self) -> Bool {
        allCases.firstIndex(of: left)! < allCases.firstIndex(of: right)!
    }
}

extension Sequence<Finding> {
    /// The worst of them; `.ok` without any.
    public var verdict: Verdict { map { Verdict($0.severity) }.max() ?? .ok }
}
