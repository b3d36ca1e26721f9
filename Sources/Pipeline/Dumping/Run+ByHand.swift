import DumpCore
import Linux
import Reporting
import Staging
import SystemPackage

extension Run {
    /// The dumps of the job, made by hand: into `target`, sealed like any set, while the published set is left alone.
    ///
    /// The directory appears under its name when all is in it and on disk, or not at all. The set is built in a staging area of its own
    /// beside it, which is removed in the end. Hooks run before and after it; it is not in the job's history, and receivers get no notice of
    /// it.
    ///
    /// - Parameter target: must not exist, or be an empty directory.
    public func perform(into target: FilePath) async -> RunReport.Ended {
        record.note { $0.command = Part.dump.rawValue }
        let failure = await failure(of: { () throws(RunFailure) in
            try await prepareByHooks()
            if let failure = await dump(into: target) { throw failure }
        })
        return record.end(with: await finishByHooks(failure))
    }

    private func dump(into target: FilePath) async -> RunFailure? {
        var copying = self
        do {
            let place = try VacantDirectory(target)
            let root = place.hidden("\(id)")
            copying.areaByHand = root
            try await StagingArea.requireControl(of: root)
            return try await UnfinishedDirectory(root, of: "muster dump --into").noted(
                in: job.staging, log: log
            ) {
                try await copying.fill(place, by: StagingArea.open(root))
            }
        } catch {
            return RunFailure(error, during: .dump)
        }
    }

    /// Throws when there is nothing in the place; returns what went wrong when there is.
    private func fill(_ place: VacantDirectory, by area: StagingArea) async throws -> RunFailure? {
        do {
            try await build(in: area)
            try place.receive(area.current)
        } catch {
            try await remove(area)
            throw error
        }
        record.note {
            $0.set?.path = place.path.string
            $0.publishedAt = .now
        }
        return await completed(place, removing: area)
    }

    private func build(in area: StagingArea) async throws {
        let lock = try await area.lock(for: id, command: "muster dump --into")
        defer { lock.release() }
        let published = try await publishDumps(
            holding: lock, measuredBy: await sizesByHand(), SourcesInPlace())
        record.note { $0.publishedAt = nil }
        if let obstacle = published.shortfall.notOnDisk { throw obstacle }
    }

    /// What is left to do once the dumps are in their place, whatever becomes of it.
    private func completed(_ place: VacantDirectory, removing area: StagingArea) async -> RunFailure? {
        do {
            try await remove(area)
            try place.flush()
            return nil
        } catch {
            return RunFailure(error, during: .afterwards)
        }
    }

    /// A dump by hand takes nothing's place: its size is compared with that of the job's runs, and never keeps it from being made.
    private func sizesByHand() async -> SizeCheck {
        var check = SizeCheck(rule: job.anomalies.lenient, history: RunHistory())
        do {
            check.history = try await RunHistory(of: job.staging)
        } catch {
            log.warning("sizes are not compared with those of the last runs", metadata: ["why": "\(error.message)"])
        }
        return check
    }

    private func remove(_ area: StagingArea) async throws {
        try await onOwnThread { () throws(DumpError) in
            do {
                try FileTree(area.root).remove()
            } catch {
                throw DumpError(.system, "cannot remove \(area.root): \(error)", hint: "Remove it by hand.")
            }
        }
    }
}
