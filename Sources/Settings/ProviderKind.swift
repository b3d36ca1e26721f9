import DumpCore
import Processes

/// One kind of source, as `provider:` names it: how its settings are written, and how they become a provider.
///
/// A value and not a type, because several kinds may share their types: those of a program that is known only at run time.
public struct ProviderKind: Sendable {
    /// Such as `postgresql`; in job files, manifests and reports.
    public let name: String
    /// What a dump of this kind is, in a sentence, for the schema and the help.
    public let summary: String

    /// Puts back dumps of this kind. Nil for a kind that cannot.
    public let restorer: (@Sendable (ProgramRunner) -> any Restorer)?

    let shape: AnyShape
    private let make: @Sendable ([any ProviderSettings], ProviderMeans) -> [any Provider]

    /// - Parameters:
    ///   - shape: the keys beside `provider`.
    ///   - make: a provider for each of the dumps of this kind that a job has, in their order. They may share something, such as the snapshot
    ///     of a file system that several of them are on.
    ///   - restorer: puts back dumps of this kind, with the programs that a runner starts.
    public init<Settings: ProviderSettings>(
        _ name: String, _ summary: String, shape: ObjectShape<Settings>,
        restorer: (@Sendable (ProgramRunner) -> any Restorer)? = nil,
        make: @escaping @Sendable ([Settings], ProviderMeans) -> [any Provider]
    ) {
        self.name = name
        self.summary = summary
        self.shape = AnyShape(shape)
        self.restorer = restorer
        self.make = { make($0.compactMap { $0 as? Settings }, $1) }
    }

    /// The providers of all dumps of this kind that a job has.
    ///
    /// - Parameter settings: of these dumps, each read by this kind.
    public func providers(for settings: [any ProviderSettings], by means: ProviderMeans) -> [any Provider] {
        let providers = make(settings, means)
        precondition(providers.count == settings.count, "\(name) has one provider for each dump")
        return providers
    }
}

/// What a provider may be made with.
public struct ProviderMeans: Sendable {
    /// The name of the job.
    public var job: String
    /// Starts programs.
    public var runner: ProgramRunner

    public init(job: String, runner: ProgramRunner) {
        self.job = job
        self.runner = runner
    }
}

/// An object shape of a type that only its kind knows.
struct AnyShape: Sendable {
    /// - Parameter others: further keys, which the shape leaves to others.
    let read: @Sendable (_ node: SettingsNode, _ others: [String], inout Diagnostics) -> (any ProviderSettings)?
    let write: @Sendable (any ProviderSettings) -> PlainValue
    /// - Parameter constants: further keys, each with its only value.
    let schema: @Sendable (_ constants: [(key: String, value: String)]) -> PlainValue

    init<Settings: ProviderSettings>(_ shape: ObjectShape<Settings>) {
        read = { node, others, diagnostics in shape.read(node, besides: others, &diagnostics) }
        write = { settings in (settings as? Settings).map(shape.write) ?? [:] }
        schema = { constants in shape.schema(with: constants) }
    }
}
