/// The settings of one dump: what may stand under its name in a job file, apart from `provider`.
public protocol ProviderSettings: Sendable, Equatable {
    /// The user whose programs fill the dump, if not our own.
    var programUser: String? { get }
    /// How long the dump may take before it is stopped and fails; nil for no limit.
    var deadline: Duration? { get }
}

extension ProviderSettings {
    public var programUser: String? { nil }
    public var deadline: Duration? { nil }

    /// Whether these are settings of the same type that say the same.
    public func isEqual(to other: any ProviderSettings) -> Bool { other as? Self == self }
}
