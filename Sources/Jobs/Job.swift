import Borg
import DumpCore
import SystemPackage

/// What to dump, where to stage it, and which repositories receive it: a job file with every name resolved.
public struct Job: Sendable {
    public var name: String
    /// The name of this host, as it stands in the manifest and in archive names.
    public var host: String
    public var staging: FilePath
    /// Where the job was read from; nil if from nowhere.
    public var file: FilePath?
    /// The users whose programs fill the dumps.
    public var dumpUsers: [String] = []
    /// How many units of work run at once over all sources.
    public var parallel: Int
    public var retry: Retry
    public var anomalies: AnomalyRule
    public var sources: [Source]
    /// What holds the application still while all sources are frozen.
    public var quiescence: (any Quiescence)?
    public var repositories: [Repository]
    /// Those that a command leaves out, too.
    public let allRepositories: [Repository]

    /// One entry under `dumps:`.
    public struct Source: Sendable {
        public var name: String
        /// As manifests and reports name it, such as `postgresql`.
        public var kind: String
        public var provider: any Provider
        /// How long the dump may take; nil is no limit.
        public var deadline: Duration?

        public init(name: String, kind: String, provider: any Provider, deadline: Duration? = nil) {
            self.name = name
            self.kind = kind
            self.provider = provider
            self.deadline = deadline
        }
    }

    /// One entry under `repositories:`.
    public struct Repository: Sendable {
        public var name: String
        public var settings: RepositorySettings
        /// Fetches the passphrase and sets the repository up. Throws errors for the operator only.
        public var open: @Sendable () async throws -> BorgRepository

        public init(
            name: String, settings: RepositorySettings, open: @escaping @Sendable () async throws -> BorgRepository
        ) {
            self.name = name
            self.settings = settings
            self.open = open
        }
    }

    public init(
        name: String, host: String, staging: FilePath, parallel: Int, retry: Retry = Retry(),
        anomalies: AnomalyRule = AnomalyRule(), sources: [Source], quiescence: (any Quiescence)? = nil,
        repositories: [Repository]
    ) {
        self.name = name
        self.host = host
        self.staging = staging
        self.parallel = parallel
        self.retry = retry
        self.anomalies = anomalies
        self.sources = sources
        self.quiescence = quiescence
        self.repositories = repositories
        allRepositories = repositories
    }
}
