import Borg
import Catalog
import DumpCore
import Linux

/// What becomes of each archive of a job when a repository is pruned. Decided before anything is deleted, for a rehearsal as for the act.
public struct PrunePlan: Sendable, Codable {
    public struct Entry: Sendable, Codable {
        public var name: String
        public var id: String
        public var start: Timestamp
        public var runID: RunID?
        public var standing: RepositoryLedger.Standing
        /// The rule by which it stays; nil if it goes.
        public var kept: Retention.Reason?
    }

    /// Newest first.
    public var archives: [Entry]
    /// Parts that creations which were cut off have left and that go.
    public var checkpoints: [String]
    /// Archives of others under names of this job: not counted, left alone.
    public var others: [String]
    /// Why nothing may be deleted before the operator has looked; empty if it may.
    public var obstacles: [Finding]
    /// What the operator should know besides.
    public var notes: [Finding]

    /// An archive that was never confirmed goes and takes no place that a rule keeps. What was confirmed last stays by whatever rule.
    init(
        _ holdings: Holdings, keeping retention: Retention, knowing ledger: RepositoryLedger,
        at now: ClockReading = .now
    ) {
        let holdings = holdings.including(accepted: ledger)
        let trusted = holdings.archives.filter { ledger.standing(of: $0) != .unconfirmed }
        var reasons = retention.reasons(toKeep: trusted.filter { !$0.isAhead(of: now.time) }, at: now.time)
        for archive in trusted where archive.isAhead(of: now.time) { reasons[archive.id] = .ahead }
        if let last = ledger.lastConfirmed(among: holdings.archives), reasons[last.id] == nil {
            reasons[last.id] = .newestConfirmed
        }
        archives = holdings.archives.map { archive in
            Entry(
                name: archive.name, id: archive.id, start: archive.start, runID: archive.provenance?.runID,
                standing: ledger.standing(of: archive), kept: reasons[archive.id])
        }
        checkpoints = holdings.staleCheckpoints.map(\.name)
        others = holdings.strangers.map(\.name)
        obstacles = holdings.obstacles(knowing: ledger, at: now)
        notes = holdings.namesakes
    }

    public var staying: [Entry] { archives.filter { $0.kept != nil } }
    public var going: [Entry] { archives.filter { $0.kept == nil } }

    public var deletesAnything: Bool { !going.isEmpty || !checkpoints.isEmpty }

    /// Throws if nothing may be deleted before the operator has looked, and if archives go and none stays that was confirmed.
    func requireConfirmed(in repository: String) throws(BorgError) {
        if let first = obstacles.first {
            var context = ErrorContext()
            for other in obstacles.dropFirst() { context[other.code] = other.message }
            throw BorgError(
                .pruneRefused, "repository '\(repository)' is not pruned: \(first.message)", hint: first.hint,
                context: context)
        }
        guard !going.isEmpty, !staying.contains(where: { $0.standing == .confirmed }) else { return }
        throw BorgError(
            .pruneRefused, "pruning repository '\(repository)' would leave no archive that Muster confirmed",
            hint: "Nothing was deleted. Make one first: muster archive. Or keep more.",
            context: ["would_go": going.map { "\($0.name) (\($0.standing.rawValue))" }.joined(separator: "\n")])
    }
}

extension Retention.Reason {
    fileprivate static let newestConfirmed = Self(rule: "newest confirmed", number: 1)
    fileprivate static let ahead = Self(rule: "dated ahead", number: 1)
}
