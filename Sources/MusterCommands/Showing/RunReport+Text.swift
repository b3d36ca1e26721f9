import ArgumentParser
import DumpCore
import Reporting

extension RunReport.Ended {
    /// Prints the outcome, and throws what went wrong for the exit status.
    func tell(_ output: OutputOptions) throws {
        if output.json {
            Console.shared.result(try json(report))
        } else if !output.quiet {
            let result = RunResult(report, warnings: Console.shared.takeKept())
            Console.shared.result(Console.shared.isOneRecord ? result.verdictLine : result.lines.asLines)
        }
        guard let failure else { return }
        let lastLine = report.lastLine(after: failure)
        guard let error = failure.error else {
            if let lastLine { Console.shared.plainError(lastLine) }
            throw ExitCode(failure.exitStatus.rawValue)
        }
        throw CommandFailure(status: failure.exitStatus, error: error, lastLine: lastLine, isOnRecord: true)
    }
}

extension RunReport {
    /// What an operator reads last of a run that did not go well: what remains, and what to do.
    fileprivate func lastLine(after failure: RunFailure) -> String? {
        let archiving = "'muster archive \(job)' finishes the job"
        switch failure {
        case .archive where !archives.isEmpty && archives.allSatisfy({ $0.outcome == .done }):
            return "the set is intact, and every archive is confirmed"
        case .archive: return set.map { _ in "the set is intact; \(archiving)" }
        case .interrupted where publishedAt != nil && command == Part.dump.rawValue:
            return "interrupted: the set is published"
        case .interrupted where publishedAt != nil || command == Part.archive.rawValue:
            return "interrupted: the set is intact; \(archiving)"
        case .interrupted: return "interrupted: nothing was published"
        case .afterwards: return "the set is published" + (archives.isEmpty ? "" : ", and every archive is confirmed")
        case .dump, .damagedSet, .locked, .configuration: return nil
        }
    }
}

extension Moment {
    /// For people: `all of it as of one instant, 2026-11-23 09:01:02 +0100`.
    var text: String {
        switch kind {
        case .exact: "all of it as of one instant, \(from.local)"
        case .window: "each part as of one instant within \(seconds) s from \(from.local)"
        case .live where from.local == to.local: "read live, \(from.local)"
        case .live: "read live from \(from.local) to \(to.local)"
        }
    }

    private var seconds: String {
        let tenths = (to.milliseconds - from.milliseconds + 50) / 100
        return "\(tenths / 10).\(tenths % 10)"
    }
}
