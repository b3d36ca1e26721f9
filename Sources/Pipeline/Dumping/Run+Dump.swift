import DumpCore
import Linux
import Reporting
import Staging
import SystemPackage

extension Run {
    /// Every dump of the job, sealed and published as one set.
    ///
    /// - Parameter inPlace: receives what Borg is to read where it is.
    func dump(holding lock: StagingLock, _ inPlace: SourcesInPlace) async throws(RunFailure) -> PublishedSet {
        do {
            let sizes = SizeCheck(
                rule: acceptsSizes ? job.anomalies.lenient : job.anomalies,
                history: try await RunHistory(of: job.staging))
            if acceptsSizes { record.note { $0.sizesAccepted = true } }
            let published = try await publishDumps(holding: lock, measuredBy: sizes, inPlace)
            let set = published.set
            log.note(.setPublished, ["path": "\(set.root)", "bytes": "\(set.manifest.bytes)"])
            return published
        } catch {
            throw RunFailure(error, during: .dump)
        }
    }

    /// Builds a set and makes it the current one of the area that is locked. What was begun is discarded after a throw.
    ///
    /// After a transient failure, all dumps are taken again, so that they still belong together.
    func publishDumps(
        holding lock: StagingLock, measuredBy sizes: SizeCheck, _ inPlace: SourcesInPlace
    ) async throws -> PublishedSet {
        var attempt = DumpAttempt(sizes: sizes)
        while true {
            let number = attempt.number
            record.note { $0.attempts = number }
            do {
                return try await publishOnce(&attempt, holding: lock, inPlace)
            } catch let error as any OperatorError where error.isTransient && attempt.number <= job.retry.times {
                let wait = job.retry.wait(after: attempt.number)
                log.warning(
                    "taking all dumps again after a transient failure",
                    metadata: ["error": "\(error.message)", "after": "\(wait)"])
                try await SignOfLife.sleep(for: wait)
                attempt.number += 1
                await enter(.prepare, in: lock.area)
            }
        }
    }

    private func publishOnce(
        _ attempt: inout DumpAttempt, holding lock: StagingLock, _ inPlace: SourcesInPlace
    ) async throws -> PublishedSet {
        let incoming = try await lock.beginSet()
        do {
            let dumps = try await takeDumps(&attempt, into: incoming, of: lock.area, inPlace)
            await enter(.seal, in: lock.area)
            let sealed = try await seal(dumps, in: incoming)
            StopPoint.passing("sealed")
            try Task.checkCancellation()
            let published = try await sealed.publish()
            record.note {
                $0.set?.path = published.set.root.string
                $0.publishedAt = .now
            }
            tell(published.shortfall)
            StopPoint.passing("published")
            return published
        } catch {
            await inPlace.release()
            do {
                try await incoming.discard()
            } catch let leftover {
                // The next run removes it. What made this one fail says more.
                log.warning("cannot remove the set that failed", metadata: ["error": "\(leftover)"])
            }
            throw error
        }
    }

    /// Prepare all, freeze all, dump all, release all, and the gate: returns only when every dump succeeded.
    private func takeDumps(
        _ attempt: inout DumpAttempt, into incoming: IncomingSet, of area: StagingArea, _ inPlace: SourcesInPlace
    ) async throws -> [TakenDump] {
        let prepared = await providers.prepareAll(for: area, isRetry: attempt.number > 1)
        record.note { $0.dumps = prepared.sources.map(RunReport.DumpRecord.init(prepared:)) }
        announce(prepared, after: attempt.sizes.history)
        return try await withCleanup {
            StopPoint.passing("prepared")
            try prepared.requireNoFailure()
            try await job.quiescence?.examine()
            try attempt.compare(prepared)
            try await requireSpace(for: prepared, in: area)
            let frozen = try await freezeAll(prepared, for: incoming)
            StopPoint.passing("frozen")
            await enter(.dump, in: area)
            var dumps = await dumpAll(frozen, of: prepared, into: incoming)
            StopPoint.passing("dumped")
            for (name, source) in frozen where source.isReadInPlace { await inPlace.add(source, of: name) }
            await releaseAll(frozen.filter { !$0.value.isReadInPlace })
            StopPoint.passing("released")
            note(dumps)
            try Task.checkCancellation()
            dumps = try await attempt.sizes.measured(dumps, in: incoming)
            note(dumps)
            for dump in dumps { logFindings(dump.findingsOfDump, of: dump.name) }
            try dumps.requireAllSucceeded()
            return dumps
        } cleanup: {
            await prepared.close()
        }
    }
    private func note(_ dumps: [TakenDump]) {
        record.note { $0.dumps = dumps.map(\.record) }
    }

    /// Says what could not be done once the set was published.
    private func tell(_ shortfall: PublishedSet.Shortfall) {
        if let obstacle = shortfall.notKept {
            log.warning("the set before is not kept as previous", metadata: ["error": "\(obstacle.message)"])
        }
        if let obstacle = shortfall.notOnDisk {
            log.error("the set is published, but perhaps not on disk", metadata: ["error": "\(obstacle.message)"])
        }
    }
}

extension [TakenDump] {
    /// The gate: the one place that decides whether there will be a set.
    fileprivate func requireAllSucceeded() throws {
        let failures = compactMap { dump in
            (dump.error ?? dump.sizeError).map { (name: dump.name, error: $0 as any OperatorError) }
        }
        if !failures.isEmpty { throw CombinedError("dumps", failures) }
    }
}

extension TakenDump {
    /// Its size, where that must keep the run from going on.
    fileprivate var sizeError: DumpError? {
        guard let finding = sizeFinding, finding.severity == .failure else { return nil }
        return DumpError(
            DumpError.Code(rawValue: finding.code), finding.message, hint: finding.hint, context: ["dump": name])
    }
}
