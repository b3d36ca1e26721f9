/// One mistake in a settings file.
public struct Diagnostic: Sendable, Hashable {
    public var mark: Mark
    /// What it is about; empty for the file as a whole.
    public var path: SettingsPath
    /// One line, lower case, no full stop; names what it is about.
    public var message: String
    /// A sentence that says what to do.
    public var hint: String?

    public init(_ mark: Mark, _ path: SettingsPath, _ message: String, hint: String? = nil) {
        self.mark = mark
        self.path = path
        self.message = message
        self.hint = hint
    }
}

/// What is wrong with a value, without saying where it stands.
public struct Fault: Sendable, Hashable {
    /// Reads on from the value's path and a colon: `must be an absolute path`.
    public var message: String
    public var hint: String?

    public init(_ message: String, hint: String? = nil) {
        self.message = message
        self.hint = hint
    }
}

/// Collects every mistake of a file.
public struct Diagnostics: Sendable {
    public private(set) var all: [Diagnostic] = []

    public init() {}

    public mutating func report(_ diagnostic: Diagnostic) { all.append(diagnostic) }

    /// Reports a fault of the value at `node`.
    public mutating func report(_ fault: Fault, at node: SettingsNode) {
        report(Diagnostic(node.mark, node.path, "\(node.path.subject): \(fault.message)", hint: fault.hint))
    }

    /// Reports that something else than `expected` is at `node`. Says nothing if that was refused before.
    public mutating func report(expected: String, at node: SettingsNode, hint: String? = nil) {
        if case .refused = node.content { return }
        report(Fault("expected \(expected), found \(node.found)", hint: hint), at: node)
    }
}
