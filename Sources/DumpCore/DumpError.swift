/// Why a dump could not be prepared, taken, or trusted.
public typealias DumpError = CodedError<DumpErrorCode>

/// What kind of failure it is. Open: a provider may add its own.
public struct DumpErrorCode: ErrorCode {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }

    /// The source cannot be reached, or refused us.
    public static let sourceUnavailable = Self(rawValue: "source_unavailable")
    /// The settings name something that the source does not have, or ask for what cannot be.
    public static let settings = Self(rawValue: "settings")
    /// A program that the provider needs is missing or too old.
    public static let programUnsuitable = Self(rawValue: "program_unsuitable")
    /// A program ended with a bad status.
    public static let programFailed = Self(rawValue: "program_failed")
    /// A program reported success, but what it wrote is not a complete dump.
    public static let incompleteDump = Self(rawValue: "incomplete_dump")
    /// The staging file system is full, or would be.
    public static let noSpace = Self(rawValue: "no_space")
    /// The dump took longer than its deadline.
    public static let deadline = Self(rawValue: "deadline")
    /// Nothing of the dump moved for too long, and it was stopped.
    public static let stalled = Self(rawValue: "stalled")
    /// The run was stopped.
    public static let cancelled = Self(rawValue: "cancelled")
    /// What was restored is not what the manifest says.
    public static let notRestored = Self(rawValue: "not_restored")
    /// The operating system refused something.
    public static let system = Self(rawValue: "system")
}

extension DumpError {
    /// The same error with the dump's name before its other facts.
    public func ofDump(_ name: String) -> DumpError {
        var error = self
        error.context = ["dump": name]
        for fact in context { error.context[fact.name] = fact.value }
        return error
    }
}
