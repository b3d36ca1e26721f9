import ArgumentParser
import DumpCore
import Reporting
import Restoring
import Staging

struct StatusCommand: MusterCommand {
    static let manual = CommandManual(
        "status", "Show the published set and how the last runs ended.",
        examples: [
            "muster status nightly": "Show the set, what remains to be undone, and the last five runs.",
            "muster status nightly --json": "Print the same for a monitoring program.",
        ])

    @Argument(help: jobHelp, completion: .jobs) var positionalJob: String?
    @OptionGroup var jobOptions: JobOptions
    @OptionGroup var state: StateOption
    @OptionGroup var output: OutputOptions

    func run() async throws {
        _ = output.logger()
        let job = try jobOptions.read(positionalJob)
        let status = try await JobStatus(job: job.name, staging: job.staging)
        // Without the store no drill was held here.
        let drill = try? await DrillStore(in: state.root).records(ofJob: job.name).last
        Console.shared.result(
            output.json ? try json(JobStatusWithDrill(status: status, lastDrill: drill)) : status.text(drill))
    }
}

/// A job's status with its last drill beside the rest.
private struct JobStatusWithDrill: Encodable {
    var status: JobStatus
    var lastDrill: DrillRecord?

    private enum CodingKeys: String, CodingKey { case lastDrill }

    func encode(to encoder: any Encoder) throws {
        try status.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encodeIfPresent(lastDrill, forKey: .lastDrill)
    }
}

extension JobStatus {
    fileprivate func text(_ drill: DrillRecord?) -> String {
        var lines: [String] = []
        if let set {
            lines.append("set \(set.runID) of \(set.endedAt.local): \(formatBytes(set.bytes)) in \(set.path)")
            lines += set.dumps.map { "  \($0.name): \(formatBytes($0.bytes)) in \($0.files) files" }
        } else {
            lines.append("no set has been published in \(staging)")
        }
        for undoing in toUndo {
            guard let record = undoing.record else { continue }
            lines.append(
                record.isKept == true
                    ? "kept for Borg by run \(record.run): \(record.kind) of dump \(record.dump) (muster release)"
                    : "left by run \(record.run), to be undone: \(record.kind) of dump \(record.dump) (muster undo)")
            lines += undoing.details
        }
        lines += lost.map {
            "lost, although Borg should read it: \($0.kind) of dump \($0.dump) of run \($0.run) (muster release)"
        }
        lines += unfinished.map {
            "left by \($0.command) of \($0.at.local), which was killed: \($0.path) (remove it)"
        }
        lines += unreadable
        if let holder { lines.append("running now: \(holder)") }
        if let drill { lines.append(drill.line) }
        lines += runs.prefix(5).map { run in
            "\(run.command) \(run.runID) \(run.ending)"
        }
        return lines.asLines
    }
}

extension RunReport {
    fileprivate var ending: String {
        let during = stage.map { ", \($0.rawValue)" } ?? ""
        return switch outcome {
        case .running: "began \(startedAt.local): running\(during)"
        case .noResult: "began \(startedAt.local): ended without a result\(during)"
        case .done, .failed, .interrupted:
            "ended \(endedAt.local): \(outcome.rawValue)" + (error.map { ": \($0.message)" } ?? "")
        }
    }
}
