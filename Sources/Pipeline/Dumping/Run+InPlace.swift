import DumpCore
import Reporting
import Staging

/// Trees that are not copied into the set. Borg reads them in place, in snapshots that the undo journal has on record for as long as they
/// exist.
extension Run {
    /// Has them stay until `muster release`, for a Borg that is not ours.
    func keep(_ sources: SourcesInPlace, in area: StagingArea) async throws(RunFailure) {
        guard await !sources.isEmpty else { return }
        // Their snapshots may be on record for others of their kind that share them.
        let inPlace = await sources.dumps
        let kinds = Set(job.sources.filter { inPlace.contains($0.name) }.map(\.kind))
        let sharing = job.sources.filter { kinds.contains($0.kind) }.map(\.name)
        do {
            try await area.keepUndo(of: id, dumps: Set(sharing))
        } catch {
            // The set is published, and of no use without them.
            throw RunFailure(error, during: .afterwards)
        }
        await sources.keep()
        log.notice("snapshots are kept for Borg to read: run 'muster release' once it has")
    }

    /// Throws unless all that Borg reads in place is there, and is what it was when the set was made. To be asked before Borg reads, and
    /// again afterwards: a snapshot may be lost meanwhile.
    func requireInPlace(_ set: SealedSet, in area: StagingArea) async throws(DumpError) {
        let dumps = set.manifest.dumps.filter { $0.tree?.reference != nil }
        guard !dumps.isEmpty else { return }
        // A snapshot that several dumps share is on record for one of them.
        let records = try await records(of: set.manifest.runID, in: area)
        if let dump = dumps.first(where: { dump in !records.contains { $0.dump == dump.name } }) {
            throw .released(dump)
        }
        for record in records where record.dump != UndoRecord.job { try await sideEffects.confirm(record) }
    }

    private func records(of run: RunID, in area: StagingArea) async throws(DumpError) -> [UndoRecord] {
        do {
            return try await area.allUndoRecords().filter { $0.run == run }
        } catch {
            throw DumpError(.system, error)
        }
    }
}

extension DumpError {
    fileprivate static func released(_ dump: Manifest.DumpRecord) -> DumpError {
        DumpError(
            .released, "the snapshot of dump '\(dump.name)', which Borg reads in place, is already released",
            hint:
                "Take a new set: muster run archives it at once; after muster dump comes Borg, and only then muster release.",
            context: ["dump": dump.name, "path": dump.tree?.reference ?? ""])
    }
}
