import DumpCore
import Reporting
import Staging

extension SideEffects {
    func confirm(_ record: UndoRecord) async throws(DumpError) {
        guard let source = source(for: record) else {
            throw DumpError(
                .settings, "the job no longer has dump '\(record.dump)', whose snapshot Borg should read",
                hint: "Put it back, or take a new set with muster run.")
        }
        do {
            try await (source.provider as? any InPlaceProvider)?.confirm(record)
        } catch {
            throw error.ofDump(record.dump)
        }
    }

    /// What came of `muster release`.
    public struct Release: Sendable, Codable {
        public var undone: [Undoing]
        /// What Borg may have read although it was no longer there, or no longer what it was.
        public var lost: [RunReport.ErrorRecord]
    }

    /// `muster release`: gives back what `muster dump` has kept for a Borg outside of Muster. Takes the lock, so that no run is under way.
    public func releaseKept() async throws -> Release {
        guard let area = try await StagingArea.openExisting(job.staging) else { return Release(undone: [], lost: []) }
        let lock = try await area.lock(for: providers.run, command: "muster release \(job.name)")
        defer { lock.release() }
        let before = try await area.lostRecords()
        let undone = try await undo(.kept, in: area)
        // Another run was there before. Told twice if we die here, rather than never.
        for record in before { try await area.forgetUndo(record) }
        let lost =
            before.map { DumpError.lost($0, "\($0.loss ?? ""), as another run found when it released it") }
            + undone.compactMap { undoing in
                guard let record = undoing.record, let loss = undoing.loss else { return nil }
                return DumpError.lost(record, loss)
            }
        return Release(undone: undone, lost: lost.map { RunReport.ErrorRecord($0) })
    }
}

extension DumpError {
    fileprivate static func lost(_ record: UndoRecord, _ loss: String) -> DumpError {
        DumpError(.released, loss, context: ["dump": record.dump, "run": record.run.description])
    }
}
