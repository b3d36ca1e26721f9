import Borg
import DumpCore

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

    /// An archive that was never confirmed goes and takes no place that a rule keeps. One of which nothing is noted is like any other.
    init(_ holdings: SeriesHoldings, keeping retention: Retention, knowing ledger: RepositoryLedger) {
        let trusted = holdings.archives.filter { ledger.standing(of: $0) != .unconfirmed }
        let reasons = retention.reasons(toKeep: trusted)
        archives = holdings.archives.map { archive in
            Entry(
                name: archive.name, id: archive.id, start: archive.start, runID: archive.provenance?.runID,
                standing: ledger.standing(of: archive), kept: reasons[archive.id])
        }
        checkpoints = holdings.staleCheckpoints.map(\.name)
        others = holdings.strangers.map(\.name)
    }

    public var staying: [Entry] { archives.filter { $0.kept != nil } }
    public var going: [Entry] { archives.filter { $0.kept == nil } }

    public var deletesAnything: Bool { !going.isEmpty || !checkpoints.isEmpty }

    /// Throws if archives go and none stays that was confirmed.
    func requireConfirmed(in repository: String) throws(BorgError) {
        guard !going.isEmpty, !staying.contains(where: { $0.standing == .confirmed }) else { return }
        throw BorgError(
            .pruneRefused, "pruning repository '\(repository)' would leave no archive that Muster confirmed",
            hint: "Nothing was deleted. Have one made first: muster archive. Or keep more.",
            context: ["would_go": going.map { "\($0.name) (\($0.standing.rawValue))" }.joined(separator: "\n")])
    }
}
