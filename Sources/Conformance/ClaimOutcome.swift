/// What came of checking one claim.
public enum ClaimOutcome: Sendable, Hashable {
    case passed
    /// What did not hold, at least one thing, each on a line of its own.
    case failed([String])
    /// Why the subject cannot show that it holds. Nothing that was looked at spoke against it.
    case notApplicable(String)
}

/// Thrown by a subject that lacks what a claim needs.
public struct NotApplicable: Error, Hashable {
    /// Lower case, no full stop.
    public var why: String

    public init(_ why: String) { self.why = why }
}
