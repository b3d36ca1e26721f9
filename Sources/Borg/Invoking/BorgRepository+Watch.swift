import DumpCore
import Processes
import Settings

extension BorgRepository {
    /// Runs a Borg to its end. Stops it if it stays silent, without a line or a byte, for as long as the job allows.
    ///
    /// A link that stands still keeps Borg waiting for ever, and nothing but its silence shows it.
    func runWatched(
        _ program: Program, verb: String, output: ProgramOutput, log: BorgLog
    ) async throws(BorgError) -> ProgramOutcome {
        let runner = runner
        let outcome: ProgramOutcome?
        do {
            outcome = try await withStallLimit(settings.stallTimeout) { pulse in
                let onErrorLine = { @Sendable (line: String) in
                    pulse.beat()
                    log.take(line)
                }
                return try await runner.run(program, output: output, onErrorLine: onErrorLine, onOutput: pulse.beat)
            }
        } catch let error as ProcessError {
            throw BorgError(error)
        } catch {
            // The clock is all that throws anything else, when our task is cancelled.
            throw BorgError(.cancelled, "borg \(verb) was stopped", underlying: error)
        }
        guard let outcome else { throw stalled(verb, log.messages) }
        return outcome
    }

    private func stalled(_ verb: String, _ messages: BorgMessages) -> BorgError {
        let limit = settings.stallTimeout?.settingsText ?? ""
        var error = BorgError(
            .stalled, "borg \(verb) on repository '\(name)' said nothing for \(limit) and was stopped",
            hint: (settings.isRemote
                ? "The link or the repository's server hangs" : "The repository's disk may hang")
                + ": check it, then run muster archive. stall_timeout: sets how long Borg may be silent.",
            context: ["location": settings.location])
        if let progress = messages.progress {
            error.context["after"] = "\(formatBytes(progress.bytes)) in \(progress.files) files"
        }
        if !messages.lastLines.isEmpty { error.context["borg"] = messages.lastLines.joined(separator: "\n") }
        return error
    }
}
