import DumpCore
import Linux
import Staging

/// Every source of a job, examined.
struct PreparedJob: Sendable {
    struct Source: Sendable {
        var name: String
        var kind: String
        var outcome: Result<any PreparedSource, DumpError>

        var prepared: (any PreparedSource)? {
            if case .success(let prepared) = outcome { prepared } else { nil }
        }
    }

    /// In the order of the job file.
    var sources: [Source]
    var slots: WorkSlots
    /// What the published set has of them, by name.
    var previous: [String: PreviousDump]

    /// Bytes that each dump is expected to take, by name; those that could not be prepared are left out.
    var estimates: [String: Int64] {
        Dictionary(
            uniqueKeysWithValues: sources.compactMap { source in
                source.prepared.map { (source.name, $0.units.lazy.map(\.estimatedBytes).total) }
            })
    }

    /// More than one process for one unit of work only where there are fewer units than slots.
    var jobsPerUnit: Int { units.isEmpty ? 1 : max(1, slots.capacity / units.count) }

    private var units: [WorkUnit] {
        sources.flatMap { $0.prepared?.units ?? [] }
    }

    /// Throws every failure of every source at once: what prepare threw, and findings of that severity.
    func requireNoFailure() throws {
        let failures = sources.compactMap { source -> (name: String, error: any OperatorError)? in
            switch source.outcome {
            case .failure(let error): (source.name, error)
            case .success(let prepared):
                Self.failure(of: source.name, prepared.findings + prepared.omissions).map { (source.name, $0) }
            }
        }
        if !failures.isEmpty { throw CombinedError("dumps", failures) }
    }

    func close() async {
        for source in sources { await source.prepared?.close() }
    }

    private static func failure(of name: String, _ findings: [Finding]) -> DumpError? {
        let failures = findings.filter { $0.severity == .failure }
        guard let first = failures.first else { return nil }
        var context: ErrorContext = ["dump": name]
        // The code too: one object may fail for several reasons.
        for other in failures.dropFirst() { context["\(other.code) \(other.object)"] = other.message }
        return DumpError(.settings, first.message, hint: first.hint, context: context)
    }
}

extension Run {
    /// Examines every source, all at once. Throws nothing: what failed is in the result, beside what did not.
    ///
    /// - Parameters:
    ///   - area: whose set will be replaced; nil if there is none yet.
    ///   - anew: after a failure that passes. A source that was there and cannot be reached now may still be on its way back.
    func prepareAll(
        _ report: inout RunReport, for area: StagingArea?, anew: Bool = false
    ) async -> PreparedJob {
        let slots = WorkSlots(capacity: job.parallel)
        let previous = await previousDumps(in: area)
        let outcomes = await withTaskGroup(of: (Int, Result<any PreparedSource, DumpError>).self) { group in
            for (place, source) in job.sources.enumerated() {
                group.addTask {
                    log.info("preparing dump", metadata: ["dump": "\(source.name)"])
                    do throws(DumpError) {
                        let context = context(of: source.name, slots, previous: previous[source.name])
                        return (place, .success(try await source.provider.prepare(in: context)))
                    } catch {
                        var error = error
                        if anew, error.code == .sourceUnavailable { error.isTransient = true }
                        return (place, .failure(error))
                    }
                }
            }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        let prepared = PreparedJob(
            sources: job.sources.enumerated().map { place, source in
                PreparedJob.Source(
                    name: source.name, kind: type(of: source.provider).kind, outcome: outcomes[place]!)
            }, slots: slots, previous: previous)
        report.dumps = prepared.sources.map(RunReport.DumpRecord.init(prepared:))
        return prepared
    }

    /// Those of the published set that are of the same kind, by name.
    private func previousDumps(in area: StagingArea?) async -> [String: PreviousDump] {
        let kinds = Dictionary(uniqueKeysWithValues: job.sources.map { ($0.name, type(of: $0.provider).kind) })
        return await area?.previousDumps().filter { $0.value.record.provider == kinds[$0.key] } ?? [:]
    }

    /// What a provider is told when it works for the dump called `name`.
    func context(
        of name: String, _ slots: WorkSlots, jobsPerUnit: Int = 1, progress: any ProgressObserver = NoProgress(),
        previous: PreviousDump? = nil
    ) -> RunContext {
        RunContext(
            runID: id, dump: name, slots: slots, jobsPerUnit: jobsPerUnit, progress: progress, previous: previous,
            isByHand: isByHand,
            ownPlaces: [job.staging] + job.repositories.compactMap(\.settings.localPath)
                + (areaByHand.map { [$0] } ?? []),
            isApplicationHeld: job.quiescence != nil, journal: AreaJournal(run: self), log: log)
    }
}

extension RunReport.DumpRecord {
    /// Of a dump that was prepared and nothing more.
    init(prepared source: PreparedJob.Source) {
        self.init(
            name: source.name, provider: source.kind, outcome: .failed, durationSeconds: 0, findings: [], omissions: [])
        switch source.outcome {
        case .success(let prepared): (findings, omissions) = (prepared.findings, prepared.omissions)
        case .failure(let failure): error = RunReport.ErrorRecord(failure)
        }
    }
}
