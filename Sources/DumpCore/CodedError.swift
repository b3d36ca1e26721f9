/// Why something could not be done, with a code of its module: the one shape of an operator error.
///
/// A module declares its codes and gives the error a name of its own, such as `StagingError`.
public struct CodedError<Kind: ErrorCode>: OperatorError {
    public typealias Code = Kind

    public var code: Code
    public var message: String
    public var hint: String?
    public var context: ErrorContext
    public var isTransient: Bool
    /// The error this one came from, for logs at debug level.
    public var underlying: (any Error)?

    public var codeName: String { code.rawValue }

    /// - Parameter isTransient: see `OperatorError`. Nil: as the code says.
    public init(
        _ code: Code, _ message: String, hint: String? = nil, context: ErrorContext = [:],
        isTransient: Bool? = nil, underlying: (any Error)? = nil
    ) {
        self.code = code
        self.message = message.onOneLine
        self.hint = hint
        self.context = context
        self.isTransient = isTransient ?? code.isTransient
        self.underlying = underlying
    }

    /// What another error says, as an error of this module.
    public init(_ code: Code, _ error: some OperatorError) {
        self.init(code, error.message, hint: error.hint, context: error.context, underlying: error)
    }
}

/// The kinds of failure of a module. The raw value is a stable word for scripts, such as `program_failed`.
public protocol ErrorCode: RawRepresentable<String>, Hashable, Sendable {
    /// Whether an error of this kind is transient unless it says otherwise, see `OperatorError`.
    var isTransient: Bool { get }
}

extension ErrorCode {
    public var isTransient: Bool { false }
}
