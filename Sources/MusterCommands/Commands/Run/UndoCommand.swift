import ArgumentParser
import DumpCore
import Pipeline
import Reporting

struct UndoCommand: MusterCommand {
    static let manual = CommandManual(
        "undo", "Undo what a killed run left outside the staging directory.",
        story: """
            That is, for example, a mounted snapshot or the paused replay of a standby. Every run does this first; this command does it \
            without a run. It never touches what is not Muster's, and keeps on record what it cannot undo.
            """,
        examples: [
            "muster undo nightly --dry-run": "Show what would be undone.",
            "muster undo nightly": "Undo it.",
        ], statuses: .of(.locked))

    @Argument(help: jobHelp, completion: .jobs) var positionalJob: String?
    @Flag(help: "Only show what would be undone.") var dryRun = false
    @OptionGroup var jobOptions: JobOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let log = output.logger()
        let job = try jobOptions.load(positionalJob, log: log)
        let sideEffects = SideEffects(of: job, log: log)
        let done = try await unlessLocked { try await sideEffects.undoLeftBehind(rehearsal: dryRun) }
        if !dryRun { await job.job.writeMetrics(log: log) }
        if output.json {
            Console.shared.result(try json(done, as: "records"))
        } else if !output.quiet {
            Console.shared.result(done.isEmpty ? "nothing is left to undo" : done.map(text).joined(separator: "\n"))
        }
        if done.contains(where: { $0.error != nil }) { throw ExitCode(ExitStatus.failed.rawValue) }
    }

    private func text(_ undoing: Undoing) -> String {
        guard let record = undoing.record else { return "not undone: \(undoing.error?.message.onOneLine ?? "")" }
        let what = "\(record.kind) of dump \(record.dump), left by run \(record.run)"
        if let error = undoing.error { return lines("not undone: \(what): \(error.message)", undoing) }
        return dryRun ? lines("to undo: \(what)", undoing) : "undone: \(what)".onOneLine
    }

    private func lines(_ sentence: String, _ undoing: Undoing) -> String {
        ([sentence] + undoing.details).asLines
    }
}
