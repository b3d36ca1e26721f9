/// When a source was frozen, and how sure we are of it.
public struct Moment: Sendable, Codable, Hashable {
    public enum Kind: String, Sendable, Codable {
        /// All of the dump is as of one instant, and that was shown.
        case exact
        /// Each part is as of one instant; the instants lie between `from` and `to`.
        case window
        /// The source was read while it was being written.
        case live
    }

    public var kind: Kind
    public var from: Timestamp
    public var to: Timestamp
    /// What the provider knows about how it came to this, such as `attempts`; each provider documents its own. No secrets.
    public var evidence: [String: String]

    public init(_ kind: Kind, from: Timestamp, to: Timestamp, evidence: [String: String] = [:]) {
        self.kind = kind
        self.from = from
        self.to = to
        self.evidence = evidence
    }
}
