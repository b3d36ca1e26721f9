import DumpCore
import Jobs
import Linux
import Logging
import Processes
import Reporting
import Staging

/// What runs of a job have left outside the staging area, and what undoes it: its providers, by the undo journal.
public struct SideEffects: Sendable {
    let providers: ProviderContexts
    var job: ReadyJob { providers.job }
    var log: Logger { providers.log }

    init(_ providers: ProviderContexts) { self.providers = providers }

    public init(of job: ReadyJob, log: Logger) {
        self.init(ProviderContexts(job: job, run: RunID(start: .now), log: log))
    }

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
    func undo(_ which: Records, in area: StagingArea) async throws -> [Undoing] {
        try await area.removeUnfinishedRecords()
        let records = try await area.undoRecords().filter(which.include)
        // What is still at work could do what was just undone.
        let stillAtWork = await waitForOrphans(of: Set(records.map(\.owner)))
        var done: [Undoing] = []
        for record in records { done.append(await undo(record, which, in: area, stillAtWork[record.owner])) }
        return try await done + unreadable(in: area)
    }

    /// - Parameter obstacle: what keeps it from being undone now.
    private func undo(
        _ record: UndoRecord, _ which: Records, in area: StagingArea, _ obstacle: DumpError?
    ) async -> Undoing {
        var undoing = Undoing(record, in: area)
        do {
            if let obstacle { throw obstacle }
            if record.isKept == true {
                undoing.loss = await loss(of: record)
                // Should we die before it is forgotten, the next one must not take what we have undone for lost.
                if undoing.loss == nil { try await area.recordUndo(record.asLeftBehind) }
            }
            try await undo(record)
            if which == .all, let loss = undoing.loss {
                try await area.recordLoss(loss, of: record)
            } else {
                try await area.forgetUndo(record)
            }
            logUndone(record, which, undoing.loss)
        } catch {
            // Still to be released by `muster release`. If that cannot be written, it is undone all the same.
            if record.isKept == true { try? await area.recordUndo(record) }
            undoing.error = RunReport.ErrorRecord(error.forOperator)
            log.error(
                "cannot undo what a dead run has left",
                metadata: record.metadata.merging(["error": "\(error)"]) { $1 })
        }
        return undoing
    }

    /// What is wrong with what was kept for a Borg that may have read it since.
    private func loss(of record: UndoRecord) async -> String? {
        do throws(DumpError) {
            try await confirm(record)
            return nil
        } catch {
            return error.message
        }
    }

    private func logUndone(_ record: UndoRecord, _ which: Records, _ loss: String?) {
        var metadata = record.metadata
        switch which {
        case .kept: log.info("released what was kept for Borg", metadata: metadata)
        case _ where record.isKept == true:
            if let loss { metadata["lost"] = "\(loss)" }
            log.warning("released what was kept for Borg: 'muster release' never was", metadata: metadata)
        default: log.note(.leftoversUndone, metadata)
        }
    }

    /// Waits for what each has left at work, once, and not again for each of its records. Whom it goes on for is in the result.
    private func waitForOrphans(of owners: Set<ProcessIdentity>) async -> [ProcessIdentity: DumpError] {
        var failures: [ProcessIdentity: DumpError] = [:]
        for owner in owners {
            do throws(DumpError) {
                try await Keeper.waitForOrphans(of: owner, log: log)
            } catch {
                failures[owner] = error
            }
        }
        return failures
    }

    private func unreadable(in area: StagingArea) async throws -> [Undoing] {
        try await area.unreadableUndoRecords().map { error in
            log.error("cannot find out what a dead run left", metadata: ["error": "\(error)"])
            return Undoing(unreadable: error)
        }
    }

    private func undo(_ record: UndoRecord) async throws(DumpError) {
        if record.dump == UndoRecord.job {
            guard let quiescence = job.quiescence else {
                throw DumpError(
                    .settings, "the job no longer has freeze:, whose thaw_command could undo \(record.kind)",
                    hint:
                        "Thaw the application by hand and remove the record's file, or put freeze: back."
                )
            }
            return try await quiescence.undo(record, in: providers.context(of: record.dump, WorkSlots(capacity: 1)))
        }
        guard let source = source(for: record) else {
            throw DumpError(
                .settings, "the job no longer has dump '\(record.dump)', which could undo \(record.kind)",
                hint: "Undo it by hand and remove its file, or put the dump back.")
        }
        guard let provider = source.provider as? any UndoingProvider else { throw DumpError(unknown: record) }
        try await provider.undo(record, in: providers.context(of: source.name, WorkSlots(capacity: 1)))
    }

    /// The dump that it is of, unless that is gone, or has become one of another kind, and another one can do it too.
    func source(for record: UndoRecord) -> ReadyJob.Source? {
        let able = job.sources.filter { source in
            (source.provider as? any UndoingProvider)?.kindsUndoneByAnyDump.contains(record.kind) ?? false
        }
        return able.first { $0.name == record.dump } ?? able.first
            ?? job.sources.first { $0.name == record.dump }
    }

    /// `muster undo`: undoes what dead runs have left. Takes the lock, so that no run is under way.
    ///
    /// - Parameter rehearsal: only say what would be undone.
    public func undoLeftBehind(rehearsal: Bool) async throws -> [Undoing] {
        guard let area = try await StagingArea.openExisting(job.staging) else { return [] }
        if rehearsal {
            return try await area.undoRecords().filter(Records.leftBehind.include).map { Undoing($0, in: area) }
                + unreadable(in: area)
        }
        let lock = try await area.lock(for: providers.run, command: "muster undo \(job.name)")
        defer { lock.release() }
        return try await undo(.leftBehind, in: area)
    }
}

extension UndoRecord {
    /// No longer kept, and still to be undone.
    fileprivate var asLeftBehind: UndoRecord {
        var record = self
        record.isKept = nil
        return record
    }

    fileprivate var metadata: [String: Logger.MetadataValue] {
        ["run": "\(run)", "dump": "\(dump)", "what": "\(kind)"]
    }
}
