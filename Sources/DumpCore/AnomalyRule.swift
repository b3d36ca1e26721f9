/// Which size of a dump is out of the ordinary, and what follows from that. The measure is the median of the last runs.
public struct AnomalyRule: Sendable, Equatable {
    public enum Action: String, Sendable, CaseIterable {
        /// The run goes on, with a warning.
        case warn
        /// The run fails before anything is sealed.
        case fail
        /// Sizes are not compared.
        case ignore
    }

    public var action = Action.warn
    /// A dump of less than so many hundredths of the usual size has shrunk; 0 never finds one.
    public var belowPercent = 50
    /// A dump of more than so many hundredths of the usual size has grown. Nil, the default, never finds one: growth loses nothing, and
    /// every run checks the space first.
    public var abovePercent: Int?

    public init(_ action: Action = .warn, belowPercent: Int = 50, abovePercent: Int? = nil) {
        self.action = action
        self.belowPercent = belowPercent
        self.abovePercent = abovePercent
    }

    /// The same, but nothing fails by it.
    public var lenient: AnomalyRule {
        AnomalyRule(action == .fail ? .warn : action, belowPercent: belowPercent, abovePercent: abovePercent)
    }
}
