import Synchronization

/// A side effect outside the staging area that has to be undone, such as a paused standby.
///
/// On disk from before it happens until after it was undone, so that the next start can undo it when this process dies.
public struct UndoRecord: Sendable, Codable, Hashable {
    public var run: RunID
    /// The dump that it serves; its provider undoes it.
    public var dump: String
    /// What to undo, as the provider calls it, such as `replay_paused`.
    public var kind: String
    /// What the provider needs for that, of the type that belongs to the kind.
    public internal(set) var facts: RecordedFacts
    /// The process that undoes it, as long as that is alive.
    public var owner: ProcessIdentity
    public var at: Timestamp
    /// Counts what the owner has put on record. What came later is undone first, whatever became of the clock meanwhile.
    public var serial: Int
    /// Whether it stays until `muster release`, because a Borg outside of Muster reads it. Nil is no.
    public var isKept: Bool?
    /// What was wrong with it when it was undone, although it was to stay until `muster release`. Nothing is left to undo, but
    /// `muster release` has to report it. Nil until then.
    public var loss: String?

    public init(
        run: RunID, dump: String, _ facts: any UndoFacts, owner: ProcessIdentity, at: Timestamp = .now
    ) {
        self.run = run
        self.dump = dump
        kind = facts.kind
        self.facts = RecordedFacts(facts)
        self.owner = owner
        self.at = at
        serial = Self.recorded.add(1, ordering: .relaxed).newValue
    }

    private static let recorded = Atomic(0)

    /// Whether it is to be undone before the other.
    public func isNewer(than other: UndoRecord) -> Bool {
        run == other.run ? serial > other.serial : run.description > other.run.description
    }
}

extension DumpError {
    /// For a record of a kind that the provider does not know.
    public init(unknown record: UndoRecord) {
        self.init(
            .settings, "no provider knows how to undo \(record.kind) of dump '\(record.dump)'",
            hint: "A newer Muster may have written it: use that one to undo it.")
    }
}

/// A process, told apart from every other that ever had its number.
public struct ProcessIdentity: Sendable, Codable, Hashable {
    public var pid: Int32
    /// Clock ticks from the start of the system to that of the process, as in `/proc/PID/stat`.
    public var startTicks: UInt64
    /// The id of the system's start, as in `/proc/sys/kernel/random/boot_id`.
    public var bootID: String

    public init(pid: Int32, startTicks: UInt64, bootID: String) {
        self.pid = pid
        self.startTicks = startTicks
        self.bootID = bootID
    }
}

/// Where a provider writes down what has to be undone.
public protocol UndoJournal: Sendable {
    /// To be called before the side effect. On return the record is on disk.
    func record(_ facts: any UndoFacts, of dump: String) async throws(DumpError) -> UndoRecord

    /// To be called once it was undone.
    func forget(_ record: UndoRecord) async throws(DumpError)
}

/// For a provider without side effects.
public struct NoJournal: UndoJournal {
    public init() {}

    public func record(_ facts: any UndoFacts, of dump: String) async throws(DumpError) -> UndoRecord {
        throw DumpError(.system, "there is no undo journal here, and \(facts.kind) of dump '\(dump)' needs one")
    }

    public func forget(_ record: UndoRecord) async throws(DumpError) {}
}
