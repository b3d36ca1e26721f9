/// The settings of one kind of provider: what may stand under a dump's name in a job file.
public protocol ProviderSettings: Sendable {
    /// The kind as `provider:` names it, such as `postgresql`.
    static var kind: String { get }
    /// What a dump of this kind is, in a sentence, for the schema and the help.
    static var summary: String { get }
}
