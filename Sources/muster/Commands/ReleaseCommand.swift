import ArgumentParser
import DumpCore
import Pipeline

struct ReleaseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "release", abstract: "Give back the snapshots that muster dump has kept for Borg to read.",
        discussion: """
            For dumps with stage: reference, once the Borg that is not Muster's own has ended, however it ended. muster run does it by \
            itself. Fails if a snapshot was not all that it was any more: what Borg read of it cannot be trusted then.

            \(ExitStatus.help(.verificationFailed, .locked))
            """)

    @Argument(help: "The job, as with --job.") var positionalJob: String?
    @OptionGroup var jobOptions: JobOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let log = output.logger()
        let run = Run(try jobOptions.load(positionalJob, log: log), tool: toolRecord, log: log)
        let release: Run.Release
        do {
            release = try await run.releaseKept()
        } catch let error as any OperatorError where error.codeName == "locked" {
            throw CommandFailure(status: .locked, error: error)
        }
        if output.json {
            Console.shared.result(try json(release))
        } else if !output.quiet {
            Console.shared.result(text(release))
        }
        if !release.lost.isEmpty { throw ExitCode(ExitStatus.verificationFailed.rawValue) }
        if release.undone.contains(where: { $0.error != nil }) { throw ExitCode(ExitStatus.failed.rawValue) }
    }

    private func text(_ release: Run.Release) -> String {
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
