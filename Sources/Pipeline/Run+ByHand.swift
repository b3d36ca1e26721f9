import DumpCore
import Linux
import Staging
import SystemPackage

extension Run {
    /// The dumps of the job, made by hand: into `target`, sealed like any set, while the published set is left alone.
    ///
    /// The directory appears under its name when all is in it and on disk, or not at all: the set is built in a staging area of its own
    /// beside it, which is removed in the end.
    /// - Parameter target: must not exist, or be an empty directory.
    public func perform(into target: FilePath) async -> RunReport.Ended {
        var report = newReport(of: "dump")
        do {
            try requireVacant(target)
            let area = try await StagingArea.open(temporaryArea(for: target))
            do {
                try await build(in: area, &report)
                try move(area.current, to: target)
                report.set?.path = target.string
                try await remove(area)
            } catch {
                try await remove(area)
                throw error
            }
            report.end(with: nil)
            return RunReport.Ended(report: report, failure: nil)
        } catch {
            let failure = RunFailure(error, during: .dump)
            report.end(with: failure)
            return RunReport.Ended(report: report, failure: failure)
        }
    }

    private func temporaryArea(for target: FilePath) -> FilePath {
        target.removingLastComponent().appending(".\(target.lastComponent?.string ?? "").\(id)")
    }

    private func build(in area: StagingArea, _ report: inout RunReport) async throws {
        let lock = try await area.lock(for: id, command: "muster dump --into")
        defer { lock.release() }
        _ = try await publishDumps(holding: lock, measuredBy: await sizesByHand(), &report)
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

    private func requireVacant(_ target: FilePath) throws {
        do {
            guard try FileSystem.names(in: target).isEmpty else { throw occupied(target) }
        } catch Errno.noSuchFileOrDirectory {
            // To be made.
        } catch let error as Errno {
            throw DumpError(
                .system, "cannot use \(target): \(error)",
                hint: "Name a directory that does not exist yet, or is empty.")
        }
    }

    private func move(_ set: FilePath, to target: FilePath) throws {
        do {
            try FileSystem.rename(set, to: target)
            try FileSystem.flush(target.removingLastComponent())
        } catch Errno.directoryNotEmpty {
            throw occupied(target)
        } catch {
            throw DumpError(.system, "cannot move the set to \(target): \(error)")
        }
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

    private func occupied(_ target: FilePath) -> DumpError {
        DumpError(
            .settings, "there is something in \(target) already",
            hint: "Name a directory that does not exist yet, or is empty.")
    }
}
