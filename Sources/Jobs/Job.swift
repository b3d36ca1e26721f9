import Borg
import DumpCore
import Linux
import Processes
import Settings
import SystemPackage

/// A job file that was read: what to dump, where to stage it, which repositories receive it.
public struct Job: Sendable, Equatable {
    /// The name of its file without extension; fit to be part of an archive's name.
    public var name: String
    /// Where it was read from, as it was asked for.
    public var file: FilePath
    /// What a user whom the dumps are handed to could exchange on the way to the file.
    public var exposure: LoosePart?
    /// The directory that holds the sets. Absolute, without `.` and `..`, not `/`.
    public var staging: FilePath
    /// What the host is called in manifests and the names of archives. Nil: its own name.
    public var host: String?
    /// Where plugins are looked for. Nil: in the usual directories.
    public var pluginPath: [FilePath]?
    /// How many pieces of dumps are taken at once, over all sources. Nil: as many as there are cores.
    public var parallel: Int?
    /// How often dumps are taken again after a transient failure, such as a restart of the server.
    public var retry: Retry
    /// What is made of dumps whose size is out of the ordinary.
    public var anomalies: AnomalyRule
    /// How old a set may be for `muster with-lock`. Nil: of any age.
    public var maxAge: Duration?
    /// How old the last good run may become before the job counts as failed. Nil: three times the usual interval.
    public var alertAfter: Duration?
    /// Where metrics are written for Prometheus.
    public var metrics: Metrics?
    /// The page that is written after each run.
    public var report: Report?
    /// How the application is held still while all sources are frozen.
    public var freeze: Freeze?
    /// Programs of the operator's that run before and after.
    public var hooks: Hooks?
    /// Who gets notices of how runs, drills and checks end, in the order of the file.
    public var receivers: [Receiver]
    /// How restores are rehearsed.
    public var drill: Drill?
    /// In the order of the file; at least one.
    public var dumps: [Dump]
    /// In the order of the file. Without any, someone else archives the set.
    public var repositories: [Repository]

    public init(
        name: String, file: FilePath, staging: FilePath, host: String? = nil, pluginPath: [FilePath]? = nil,
        parallel: Int? = nil,
        retry: Retry = Retry(), anomalies: AnomalyRule = AnomalyRule(), maxAge: Duration? = nil,
        freeze: Freeze? = nil, hooks: Hooks? = nil, receivers: [Receiver] = [], drill: Drill? = nil, dumps: [Dump],
        repositories: [Repository] = []
    ) {
        self.name = name
        self.file = file
        self.staging = staging
        self.host = host
        self.pluginPath = pluginPath
        self.parallel = parallel
        self.retry = retry
        self.anomalies = anomalies
        self.maxAge = maxAge
        self.freeze = freeze
        self.hooks = hooks
        self.receivers = receivers
        self.drill = drill
        self.dumps = dumps
        self.repositories = repositories
    }
}

extension Job {
    /// What stands under `freeze:`.
    public struct Freeze: Sendable, Equatable {
        /// Programs with their arguments. The thaw may be run more than once, also of what was never frozen.
        public var freeze: [String] = []
        public var thaw: [String] = []
        /// How long the application may stand still.
        public var deadline = Duration.seconds(30)

        public init() {}
    }
}

extension Job {
    /// What stands under `metrics:`.
    public struct Metrics: Sendable, Equatable {
        /// That the node exporter reads text files in.
        public var directory = FilePath("")

        public init() {}
    }

    /// What stands under `report:`.
    public struct Report: Sendable, Equatable {
        /// The page's file.
        public var html = FilePath("")

        public init() {}
    }
}

extension Job {
    /// One entry under `dumps:`.
    public struct Dump: Sendable, Equatable {
        public var name: String
        public var kind: ProviderKind
        public var settings: any ProviderSettings

        public init(name: String, kind: ProviderKind, settings: any ProviderSettings) {
            self.name = name
            self.kind = kind
            self.settings = settings
        }

        public static func == (left: Self, right: Self) -> Bool {
            left.name == right.name && left.kind.name == right.kind.name && left.settings.isEqual(to: right.settings)
        }
    }
}

extension Job {
    /// One entry under `repositories:`.
    public struct Repository: Sendable, Equatable {
        public var name: String
        public var settings: RepositorySettings

        public init(name: String, settings: RepositorySettings) {
            self.name = name
            self.settings = settings
        }
    }
}

extension Job {
    /// As it stands in manifests and in archive names.
    public var hostName: String { host ?? Linux.hostName() }

    public var slots: Int { parallel ?? processorCount }

    /// The users whose programs fill the dumps.
    public var dumpUsers: [String] { dumps.compactMap(\.settings.programUser) }

    /// A provider for each dump, in their order. Those of one kind are made together.
    public func providers(by runner: ProgramRunner) -> [any Provider] {
        let means = ProviderMeans(job: name, runner: runner)
        var made: [String: [any Provider]] = [:]
        for (kind, dumps) in Dictionary(grouping: dumps, by: \.kind.name) {
            made[kind] = dumps[0].kind.providers(for: dumps.map(\.settings), by: means).reversed()
        }
        return dumps.map { made[$0.kind.name]!.removeLast() }
    }
}
