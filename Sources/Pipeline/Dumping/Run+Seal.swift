import DumpCore
import Staging

extension Run {
    /// Hashes, lists and flushes what was dumped.
    func seal(
        _ dumps: [TakenDump], in incoming: IncomingSet, _ report: inout RunReport
    ) async throws -> UnpublishedSet {
        let finished = try dumps.map { dump in
            var summary = try dump.outcome.get()
            summary.findings = dump.prepareFindings + summary.findings + (dump.sizeFinding.map { [$0] } ?? [])
            return FinishedDump(
                name: dump.name, provider: dump.kind, durationSeconds: dump.endedAt.seconds(since: dump.startedAt),
                summary: summary)
        }
        let sealed = try await incoming.seal(
            finished, as: SetFacts(tool: tool, job: job.name, host: job.host, startedAt: startedAt))
        for dump in sealed.set.manifest.dumps {
            guard let place = report.dumps.firstIndex(where: { $0.name == dump.name }) else { continue }
            report.dumps[place].bytes = dump.archivedBytes
            report.dumps[place].files = dump.files
        }
        report.set = RunReport.SetRecord(sealed.set, reuse: sealed.reuse)
        if let hindrance = sealed.reuse.hindrance {
            log.warning("no file of the last set could be used again", metadata: ["why": "\(hindrance)"])
        }
        return sealed
    }
}
