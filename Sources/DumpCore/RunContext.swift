import Logging
import SystemPackage

/// What a provider gets to know about the run it takes part in.
///
/// Every provider needs the name of the dump, the log, and `perform`, which takes a turn and shows the progress. The rest is for those that
/// can make use of it. A run that is stopped cancels the task of the provider.
public struct RunContext: Sendable {
    /// The run, the same in the manifest, the report, the archive's comment and the log.
    public var runID: RunID
    /// The name of the dump, from the job file.
    public var dump: String
    /// Where the dump will be, from the freeze on: empty, private, and without another user. `FrozenSource.dump` gets the same.
    public var directory: FilePath?
    /// How long the dump may take; nil for no limit. The run sees to it: this is for a program that needs to know it too.
    public var deadline: Duration?
    /// Told when a unit begins, how far it has come, and when it ends, so that its progress can be shown.
    public var progress: any ProgressObserver
    public var log: Logger

    /// For dumps of several units.
    public var turns: Turns
    /// For dumps of many or large files.
    public var shortcuts: Shortcuts
    /// Where the provider writes down what has to be undone when we die, before it happens.
    public var journal: any UndoJournal
    /// What else is so in this run.
    public var surroundings: Surroundings

    public init(
        runID: RunID, dump: String, deadline: Duration? = nil, progress: any ProgressObserver = NoProgress(),
        log: Logger, turns: Turns = Turns(slots: WorkSlots(capacity: 1)), shortcuts: Shortcuts = Shortcuts(),
        journal: any UndoJournal = NoJournal(), surroundings: Surroundings = Surroundings()
    ) {
        self.runID = runID
        self.dump = dump
        self.deadline = deadline
        self.progress = progress
        self.log = log
        self.turns = turns
        self.shortcuts = shortcuts
        self.journal = journal
        self.surroundings = surroundings
    }
}

extension RunContext {
    /// How the units of all dumps share what the machine can do at once.
    public struct Turns: Sendable {
        /// Where the work of all dumps of the run queues.
        public var slots: WorkSlots
        /// How many processes one unit of work may use at once: more than 1 only when there are fewer units than slots.
        public var jobsPerUnit: Int

        public init(slots: WorkSlots, jobsPerUnit: Int = 1) {
            self.slots = slots
            self.jobsPerUnit = jobsPerUnit
        }
    }

    /// What makes a dump faster, and nothing else depends on.
    public struct Shortcuts: Sendable {
        /// The dump of this name in the published set, if it is of the same kind. Files that have not changed since may be linked from
        /// there.
        public var previous: PreviousDump?
        /// Takes a file of the dump (relative to its directory) that nothing writes to any longer, and that has still to be read. It can be
        /// on its way to the disk meanwhile. Blocking.
        public var written: @Sendable (_ path: FilePath) -> Void
        /// Takes a file of the dump that is complete and was read to its end. Sealing does not read it again. It too can be on its way to
        /// the disk while others are being dumped. It takes any number of files.
        public var completed: @Sendable (_ path: FilePath, _ digest: FileDigest) -> Void

        public init(
            previous: PreviousDump? = nil, written: @escaping @Sendable (FilePath) -> Void = { _ in },
            completed: @escaping @Sendable (FilePath, FileDigest) -> Void = { _, _ in }
        ) {
            self.previous = previous
            self.written = written
            self.completed = completed
        }
    }

    /// What is so in a run, whatever its dumps are.
    public struct Surroundings: Sendable {
        /// Whether the operator takes the dump by hand. Such a dump must hold everything, even what Borg could read in place, and may be
        /// made while a run is under way.
        public var isByHand: Bool
        /// Directories in which the run keeps what it has dumped: its staging directory, its repositories. They are no part of any source.
        public var ownPlaces: [FilePath]
        /// Whether an application is held still while the sources are frozen: what is read only later need not belong to what was frozen.
        public var isApplicationHeld: Bool

        public init(isByHand: Bool = false, ownPlaces: [FilePath] = [], isApplicationHeld: Bool = false) {
            self.isByHand = isByHand
            self.ownPlaces = ownPlaces
            self.isApplicationHeld = isApplicationHeld
        }
    }
}

/// A dump of the published set. It never changes, so link a file of it only if it was found to be the same in all respects.
public struct PreviousDump: Sendable {
    /// Its directory. On the file system that dumps are written to.
    public var directory: FilePath
    public var record: Manifest.DumpRecord

    public init(directory: FilePath, record: Manifest.DumpRecord) {
        self.directory = directory
        self.record = record
    }
}

extension RunContext {
    /// Runs one unit of work as soon as it is its turn, by its size among the waiting units of all dumps.
    ///
    /// - Parameter isUrgent: before all that are not, such as what must lie close to the freeze.
    public func perform<Result: Sendable>(
        _ unit: WorkUnit, isUrgent: Bool = false, _ work: @Sendable () async throws(DumpError) -> Result
    ) async throws(DumpError) -> Result {
        let grant: WorkSlots.Grant
        do {
            grant = try await turns.slots.acquire(
                turns.jobsPerUnit, weight: isUrgent ? WorkSlots.urgent : unit.estimatedBytes)
        } catch {
            throw DumpError(.cancelled, "dump of \(unit.name) was cancelled before it began")
        }
        await progress.began(unit, of: dump)
        let outcome: Swift.Result<Result, DumpError>
        do {
            outcome = .success(try await work())
        } catch {
            outcome = .failure(error)
        }
        await progress.ended(unit, of: dump)
        await turns.slots.release(grant)
        return try outcome.get()
    }
}
