import DumpCore
import Linux
import Logging
import Processes
import Staging

/// What became of one side effect that a dead run had left.
public struct Undoing: Sendable, Codable {
    /// Nil if it cannot be read.
    public var record: UndoRecord?
    /// Why it could not be undone; it stays on record then.
    public var error: RunReport.ErrorRecord?
}

extension Run {
    /// Which records are meant.
    enum Records {
        case leftBehind, kept, all

        func include(_ record: UndoRecord) -> Bool {
            switch self {
            case .leftBehind: record.isKept != true
            case .kept: record.isKept == true
            case .all: true
            }
        }
    }

    /// Undoes what dead runs of this job have left outside the staging area, newest first. What cannot be undone stays on record.
    func undoSideEffects(in area: StagingArea, which: Records) async throws -> [Undoing] {
        try await area.removeUnfinishedRecords()
        let records = try await area.undoRecords().filter(which.include)
        // What is still at work could do what was just undone.
        let stillAtWork = await waitForOrphans(of: Set(records.map(\.owner)))
        var done: [Undoing] = []
        for record in records {
            var undoing = Undoing(record: record)
            do {
                if let error = stillAtWork[record.owner] { throw error }
                try await undo(record)
                try await area.forgetUndo(record)
                switch which {
                case .kept: log.info("released what was kept for Borg", metadata: record.metadata)
                case _ where record.isKept == true:
                    log.warning(
                        "released what was kept for Borg: 'muster release' never was", metadata: record.metadata)
                default: log.warning("undid what a dead run had left", metadata: record.metadata)
                }
            } catch {
                undoing.error = RunReport.ErrorRecord(error as? any OperatorError ?? UnexpectedError(error))
                log.error(
                    "cannot undo what a dead run has left",
                    metadata: record.metadata.merging(["error": "\(error)"]) { $1 })
            }
            done.append(undoing)
        }
        return try await done + unreadable(in: area)
    }

    /// Waits for what each has left at work, once, and not again for each of its records. Whom it goes on for is in the result.
    private func waitForOrphans(of owners: Set<ProcessIdentity>) async -> [ProcessIdentity: DumpError] {
        var failures: [ProcessIdentity: DumpError] = [:]
        for owner in owners {
            do throws(DumpError) {
                try await Keeper.waitForOrphans(of: owner, limit: .seconds(30))
            } catch {
                failures[owner] = error
            }
        }
        return failures
    }

    private func unreadable(in area: StagingArea) async throws -> [Undoing] {
        try await area.unreadableUndoRecords().map { error in
            log.error("cannot tell what a dead run has left", metadata: ["error": "\(error)"])
            return Undoing(record: nil, error: RunReport.ErrorRecord(error))
        }
    }

    private func undo(_ record: UndoRecord) async throws(DumpError) {
        if record.dump == UndoRecord.job {
            guard let quiescence = job.quiescence else {
                throw DumpError(
                    .settings, "the job has no freeze: any more, whose thaw_command could undo \(record.kind)",
                    hint:
                        "Thaw the application by hand and remove the record's file below journal/ in the staging directory, or put freeze: back."
                )
            }
            return try await quiescence.undo(record, in: context(of: record.dump, WorkSlots(capacity: 1)))
        }
        guard let source = job.sources.first(where: { $0.name == record.dump }) else {
            throw DumpError(
                .settings, "the job has no dump '\(record.dump)' any more, which could undo \(record.kind)",
                hint:
                    "Undo it by hand and remove its file below journal/ in the staging directory, or put the dump back."
            )
        }
        try await source.provider.undo(record, in: context(of: source.name, WorkSlots(capacity: 1)))
    }

    /// `muster undo`: undoes what dead runs have left. Takes the lock, so that no run is under way.
    ///
    /// - Parameter rehearsal: only say what would be undone.
    public func undoLeftBehind(rehearsal: Bool) async throws -> [Undoing] {
        guard let area = try await StagingArea.openExisting(job.staging) else { return [] }
        if rehearsal {
            return try await area.undoRecords().filter(Records.leftBehind.include).map { Undoing(record: $0) }
                + unreadable(in: area)
        }
        let lock = try await area.lock(for: id, command: "muster undo \(job.name)")
        defer { lock.release() }
        return try await undoSideEffects(in: area, which: .leftBehind)
    }
}

/// The journal of a job's staging area, also for dumps by hand, whose own area is gone with them.
struct AreaJournal: UndoJournal {
    let run: Run

    func record(
        _ kind: String, of dump: String, facts: [String: String]
    ) async throws(DumpError) -> UndoRecord {
        let record = UndoRecord(run: run.id, dump: dump, kind: kind, facts: facts, owner: .current)
        try await write(record) { area throws(StagingError) in try await area.recordUndo(record) }
        return record
    }

    func forget(_ record: UndoRecord) async throws(DumpError) {
        try await write(record) { area throws(StagingError) in try await area.forgetUndo(record) }
    }

    private func write(
        _ record: UndoRecord, _ body: (StagingArea) async throws(StagingError) -> Void
    ) async throws(DumpError) {
        do throws(StagingError) {
            try await body(try await StagingArea.open(run.job.staging))
        } catch {
            throw DumpError(
                .system, "cannot write the undo journal for \(record.kind): \(error.message)", hint: error.hint,
                context: error.context, underlying: error)
        }
    }
}

extension UndoRecord {
    fileprivate var metadata: [String: Logger.MetadataValue] {
        ["run": "\(run)", "dump": "\(dump)", "what": "\(kind)"]
    }
}
