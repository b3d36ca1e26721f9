import ArgumentParser
import DumpCore
import Pipeline
import Reporting

struct ReleaseCommand: MusterCommand {
    static let manual = CommandManual(
        "release", "Remove the snapshots that muster dump kept for another Borg to read.",
        story: """
            This is for dumps with stage: reference. Call it when that Borg has ended, however it ended; muster run does it by itself. It \
            fails if a snapshot was no longer complete: what Borg read of it cannot be trusted then.
            """,
        examples: [
            "muster release nightly": "Remove the snapshots that are kept.",
            "muster release nightly --json": "Remove them, and print for a script which were complete.",
        ], statuses: .of(.verificationFailed, .locked))

    @Argument(help: jobHelp, completion: .jobs) var positionalJob: String?
    @OptionGroup var jobOptions: JobOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let log = output.logger()
        let job = try jobOptions.load(positionalJob, log: log)
        let sideEffects = SideEffects(of: job, log: log)
        let release = try await unlessLocked { try await sideEffects.releaseKept() }
        await job.job.writeMetrics(log: log)
        if output.json {
            Console.shared.result(try json(release))
        } else if !output.quiet {
            Console.shared.result(text(release))
        }
        if !release.lost.isEmpty { throw ExitCode(ExitStatus.verificationFailed.rawValue) }
        if release.undone.contains(where: { $0.error != nil }) { throw ExitCode(ExitStatus.failed.rawValue) }
    }

    private func text(_ release: SideEffects.Release) -> String {
        let lost = release.lost.map { "do not trust what Borg read: \($0.message.onOneLine)" }
        let undone = release.undone.map { undoing in
            guard let record = undoing.record else { return "not released: \(undoing.error?.message.onOneLine ?? "")" }
            let what = "\(record.kind) of dump \(record.dump), kept by run \(record.run)"
            guard let error = undoing.error else { return "released: \(what)".onOneLine }
            return (["not released: \(what): \(error.message)"] + undoing.details).asLines
        }
        return lost.isEmpty && undone.isEmpty ? "nothing is kept" : (lost + undone).joined(separator: "\n")
    }
}
