import Borg
import DumpCore
import Processes

/// A job with all that carries it out: its providers, and the ways to its repositories. Secrets are still where they are.
@dynamicMemberLookup
public struct ReadyJob: Sendable {
    public let job: Job
    /// The dumps to take; a command may leave some out.
    public var sources: [Source]
    /// What holds the application still while all sources are frozen.
    public var quiescence: (any Quiescence)?
    /// The repositories that a command is about, in the order of the job file.
    public var repositories: [Job.Repository]
    /// Fetches the passphrase of a repository and sets it up. Throws errors for the operator only.
    public var open: @Sendable (Job.Repository) async throws -> BorgRepository

    /// Runs the operator's own programs, and those that reach receivers. Nil: there are neither hooks nor receivers.
    public var runner: ProgramRunner?

    /// One entry under `dumps:`.
    public struct Source: Sendable {
        public var name: String
        /// As manifests and reports name it, such as `postgresql`.
        public var kind: String
        public var provider: any Provider
        /// How long the dump may take; nil for no limit.
        public var deadline: Duration?

        public init(name: String, kind: String, provider: any Provider, deadline: Duration? = nil) {
            self.name = name
            self.kind = kind
            self.provider = provider
            self.deadline = deadline
        }
    }

    /// - Parameter providers: of the job's dumps, in their order.
    public init(
        _ job: Job, providers: [any Provider], quiescence: (any Quiescence)? = nil, runner: ProgramRunner? = nil,
        open: @escaping @Sendable (Job.Repository) async throws -> BorgRepository
    ) {
        self.job = job
        sources = zip(job.dumps, providers).map { dump, provider in
            Source(name: dump.name, kind: dump.kind.name, provider: provider, deadline: dump.settings.deadline)
        }
        self.quiescence = quiescence
        self.runner = runner
        repositories = job.repositories
        self.open = open
    }

    /// Those that a command leaves out, too.
    public var allRepositories: [Job.Repository] { job.repositories }

    public subscript<Value>(dynamicMember member: KeyPath<Job, Value>) -> Value { job[keyPath: member] }
}
