import DumpCore
import Linux
import Staging

/// A run is on record from its start: one that is killed stays there without a result.
extension Run {
    /// Puts on record what the run does now. A dump by hand is not of the job's history.
    ///
    /// A run whose record cannot be written goes on: it would be a pity about the dumps. It does not end with status 0, see `tell`.
    func enter(_ stage: RunReport.Stage, in area: StagingArea, _ report: inout RunReport) async {
        guard !isByHand else { return }
        let isFirst = report.stage == nil
        report.stage = stage
        report.endedAt = .now
        do {
            try await area.writeReport(report, of: id)
        } catch {
            // Said once, and again in the end.
            guard isFirst else { return }
            log.warning("cannot record the state of the run", metadata: ["error": "\(error.message)"])
        }
    }

    /// Says what could not be done once the set was published.
    func tell(_ shortfall: PublishedSet.Shortfall) {
        if let obstacle = shortfall.notKept {
            log.warning("the set before is not kept as previous", metadata: ["error": "\(obstacle.message)"])
        }
        if let obstacle = shortfall.notOnDisk {
            log.error("the set is published, but perhaps not on disk", metadata: ["error": "\(obstacle.message)"])
        }
    }
}

extension RunReport {
    /// What an operator reads last of a run that did not go well: what there is, and what to do.
    public func lastLine(after failure: RunFailure) -> String? {
        let archiving = "'muster archive \(job)' finishes the job"
        switch failure {
        case .archive where !archives.isEmpty && archives.allSatisfy({ $0.outcome == .done }):
            return "the set is intact, and every archive is confirmed"
        case .archive: return "the set is intact; \(archiving)"
        case .interrupted where publishedAt != nil && command == Run.Part.dump.rawValue:
            return "interrupted: the set is published"
        case .interrupted where publishedAt != nil || command == Run.Part.archive.rawValue:
            return "interrupted: the set is intact; \(archiving)"
        case .interrupted: return "interrupted: nothing was published"
        case .afterwards: return "the set is published" + (archives.isEmpty ? "" : ", and every archive is confirmed")
        case .dump, .damagedSet, .locked, .configuration: return nil
        }
    }

    /// The report as it is to be read now: nobody writes down the end of a run that was killed.
    var asOfNow: RunReport {
        guard outcome == .running, process?.isAlive != true else { return self }
        var report = self
        report.outcome = .noResult
        return report
    }
}
