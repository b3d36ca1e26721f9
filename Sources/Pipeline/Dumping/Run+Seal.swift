import DumpCore
import Reporting
import Staging

extension Run {
    /// Hashes, lists and flushes what was dumped.
    func seal(_ dumps: [TakenDump], in incoming: IncomingSet) async throws -> UnpublishedSet {
        let finished = try dumps.map { dump in
            var summary = try dump.outcome.get()
            summary.findings = dump.prepareFindings + summary.findings + (dump.sizeFinding.map { [$0] } ?? [])
            return FinishedDump(
                name: dump.name, provider: dump.kind, durationSeconds: dump.endedAt.seconds(since: dump.startedAt),
                summary: summary, formerListSHA256: dump.formerListSHA256)
        }
        let sealed = try await incoming.seal(
            finished,
            as: SetFacts(tool: record.current.tool, job: job.name, host: job.hostName, startedAt: record.startedAt))
        for dump in sealed.set.manifest.dumps {
            let told = finished.first { $0.name == dump.name }?.summary.findings ?? []
            logFindings(dump.findings.filter { !told.contains($0) }, of: dump.name)
        }
        record.note { $0.note(sealed) }
        if let hindrance = sealed.reuse.hindrance {
            log.info("no file of the last set could be used again", metadata: ["why": "\(hindrance)"])
        }
        return sealed
    }
}

extension RunReport {
    fileprivate mutating func note(_ sealed: UnpublishedSet) {
        for dump in sealed.set.manifest.dumps {
            guard let place = dumps.firstIndex(where: { $0.name == dump.name }) else { continue }
            dumps[place].bytes = dump.archivedBytes.plus(dump.databases.bytesPutTogether)
            dumps[place].files = dump.files
            // With what sealing has found.
            dumps[place].findings = dump.findings
        }
        set = SetRecord(sealed.set, reuse: sealed.reuse)
    }
}
