import DumpCore
import Linux
import Reporting
import Staging
import SystemPackage

extension Run {
    /// Freezes all sources concurrently, so that their instants lie close together, while the job's application stands still. When one fails,
    /// the others are released.
    func freezeAll(_ prepared: PreparedJob, for incoming: IncomingSet) async throws -> [String: any FrozenSource] {
        // Nothing that takes time may be left to do while the application stands still.
        var directories: [String: FilePath] = [:]
        for source in prepared.sources {
            directories[source.name] = try await directory(for: source.name, in: incoming)
        }
        guard let quiescence = job.quiescence else { return try await freezeSources(prepared, directories) }
        try await quiescence.begin(in: providers.context(of: UndoRecord.job, prepared.slots))
        let frozen: [String: any FrozenSource]
        do {
            frozen = try await freezeSources(prepared, directories)
        } catch {
            do {
                try await quiescence.end()
            } catch let obstacle {
                // What made the freeze fail says more.
                log.error("the application may not have been thawed", metadata: ["error": "\(obstacle)"])
            }
            throw error
        }
        do {
            try await quiescence.end()
        } catch {
            await releaseAll(frozen)
            throw error
        }
        return frozen
    }

    private func freezeSources(
        _ prepared: PreparedJob, _ directories: [String: FilePath]
    ) async throws -> [String: any FrozenSource] {
        let outcomes = await withTaskGroup(of: (String, Result<any FrozenSource, DumpError>).self) { group in
            for source in prepared.sources {
                guard case .success(let examined) = source.outcome else { continue }
                group.addTask {
                    var context = providers.context(of: source.name, prepared.slots)
                    context.directory = directories[source.name]
                    do throws(DumpError) {
                        return (source.name, .success(try await examined.freeze(in: context)))
                    } catch {
                        return (source.name, .failure(error))
                    }
                }
            }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        let frozen = outcomes.compactMapValues { try? $0.get() }
        let failures = job.sources.compactMap { source -> (name: String, error: any OperatorError)? in
            guard case .failure(let error) = outcomes[source.name] else { return nil }
            return (source.name, error)
        }
        if !failures.isEmpty {
            await releaseAll(frozen)
            throw CombinedError("dumps", failures)
        }
        return frozen
    }

    /// Takes all dumps, as many units at once as there are slots. A failing dump does not hide the others: all come to an outcome.
    func dumpAll(
        _ frozen: [String: any FrozenSource], of prepared: PreparedJob, into incoming: IncomingSet
    ) async -> [TakenDump] {
        let progress = DumpProgress(root: incoming.root, display: display)
        let taken = await withTaskGroup(of: TakenDump.self) { group in
            for source in prepared.sources {
                guard case .success(let examined) = source.outcome, let frozen = frozen[source.name] else { continue }
                let context = providers.context(
                    of: source.name, prepared.slots, jobsPerUnit: prepared.jobsPerUnit, progress: progress,
                    previous: prepared.previous[source.name])
                group.addTask {
                    let startedAt = Timestamp.now
                    let outcome = await take(frozen, into: incoming, in: context)
                    return TakenDump(
                        name: source.name, kind: source.kind, startedAt: startedAt, endedAt: .now,
                        prepareFindings: examined.findings, expectedOmissions: examined.omissions, outcome: outcome,
                        formerListSHA256: prepared.previous[source.name]?.record.checksums.sha256)
                }
            }
            return await group.reduce(into: [:]) { $0[$1.name] = $1 }
        }
        await progress.end()
        return prepared.sources.compactMap { taken[$0.name] }
    }

    func releaseAll(_ frozen: [String: any FrozenSource]) async {
        for source in frozen.values { await source.release() }
    }

    private func take(
        _ frozen: any FrozenSource, into incoming: IncomingSet, in context: RunContext
    ) async -> Result<DumpSummary, DumpError> {
        log.note(.dumpStarted, ["dump": "\(context.dump)"])
        do throws(DumpError) {
            var context = context
            context.shortcuts.written = incoming.writing(ofDump: context.dump)
            context.shortcuts.completed = incoming.completion(ofDump: context.dump)
            context.directory = incoming.path(ofDump: context.dump)
            let summary = try await frozen.dump(into: incoming.path(ofDump: context.dump), in: context)
            log.note(.dumpFinished, ["dump": "\(context.dump)"])
            return .success(summary)
        } catch {
            log.note(.dumpFailed, ["dump": "\(context.dump)", "error": "\(error.message)"])
            return .failure(error)
        }
    }

    private func directory(for dump: String, in incoming: IncomingSet) async throws(DumpError) -> FilePath {
        do {
            return try await incoming.directory(forDump: dump)
        } catch {
            throw DumpError(.system, error)
        }
    }
}
