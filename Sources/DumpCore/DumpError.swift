/// Why a dump could not be prepared, taken, or trusted.
public struct DumpError: OperatorError, Sendable {
    /// What kind of failure this is. Open: a provider may add its own.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        /// The source cannot be reached, or refused us.
        public static let sourceUnavailable = Code(rawValue: "source_unavailable")
        /// The settings name something that the source does not have, or ask for what cannot be.
        public static let settings = Code(rawValue: "settings")
        /// A program that the provider needs is missing or too old.
        public static let programUnsuitable = Code(rawValue: "program_unsuitable")
        /// A program ended with a bad status.
        public static let programFailed = Code(rawValue: "program_failed")
        /// A program reported success, but what it wrote is not a complete dump.
        public static let incompleteDump = Code(rawValue: "incomplete_dump")
        /// The staging file system is full, or would be.
        public static let noSpace = Code(rawValue: "no_space")
        /// The dump took longer than its deadline.
        public static let deadline = Code(rawValue: "deadline")
        /// Nothing of the dump moved for too long, and it was stopped.
        public static let stalled = Code(rawValue: "stalled")
        /// The run was told to stop.
        public static let cancelled = Code(rawValue: "cancelled")
        /// The operating system refused something.
        public static let system = Code(rawValue: "system")
    }

    public var code: Code
    public var message: String
    public var hint: String?
    public var context: ErrorContext
    /// See `OperatorError`.
    public var isTransient: Bool
    /// The error this one came from, for logs at debug level.
    public var underlying: (any Error)?

    public var codeName: String { code.rawValue }

    public init(
        _ code: Code, _ message: String, hint: String? = nil, context: ErrorContext = [:],
        isTransient: Bool = false, underlying: (any Error)? = nil
    ) {
        self.code = code
        self.message = message.onOneLine
        self.hint = hint
        self.context = context
        self.isTransient = isTransient
        self.underlying = underlying
    }
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
