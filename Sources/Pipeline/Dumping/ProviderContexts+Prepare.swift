import DumpCore
import Linux
import Reporting
import Staging

extension ProviderContexts {
    /// Examines every source, all at once. Throws nothing: what failed is in the result, beside what did not.
    ///
    /// - Parameters:
    ///   - area: whose set will be replaced; nil if there is none yet.
    ///   - isRetry: after a transient failure. A source that was there and cannot be reached now may still be on its way back.
    func prepareAll(for area: StagingArea?, isRetry: Bool = false) async -> PreparedJob {
        let slots = WorkSlots(capacity: job.slots)
        let previous = await previousDumps(in: area)
        let outcomes = await withTaskGroup(of: (Int, Result<any PreparedSource, DumpError>).self) { group in
            for (place, source) in job.sources.enumerated() {
                group.addTask {
                    log.info("preparing dump", metadata: ["dump": "\(source.name)"])
                    do throws(DumpError) {
                        let context = context(of: source.name, slots, previous: previous[source.name])
                        return (place, .success(try await SupervisedProvider(source.provider).prepare(in: context)))
                    } catch {
                        var error = error
                        if isRetry, error.code == .sourceUnavailable { error.isTransient = true }
                        return (place, .failure(error))
                    }
                }
            }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        return PreparedJob(
            sources: job.sources.enumerated().map { place, source in
                PreparedJob.Source(
                    name: source.name, kind: source.kind, outcome: outcomes[place]!)
            }, slots: slots, previous: previous)
    }

    /// Those of the published set that are of the same kind, by name.
    private func previousDumps(in area: StagingArea?) async -> [String: PreviousDump] {
        let kinds = Dictionary(uniqueKeysWithValues: job.sources.map { ($0.name, $0.kind) })
        return await area?.previousDumps().filter { $0.value.record.provider == kinds[$0.key] } ?? [:]
    }
}

extension RunReport.DumpRecord {
    /// The outcome of a dump that was prepared and nothing more.
    init(prepared source: PreparedJob.Source) {
        self.init(
            name: source.name, provider: source.kind, outcome: .failed, durationSeconds: 0, findings: [], omissions: [])
        switch source.outcome {
        case .success(let prepared): (findings, omissions) = (prepared.findings, prepared.omissions)
        case .failure(let failure): error = RunReport.ErrorRecord(failure)
        }
    }
}
