import Catalog
import Checksums
import DumpCore
import Jobs
import Linux
import Logging
import Reporting
import Staging
import SystemPackage

/// Proves that a set can be restored: takes it out of its archive, restores it to places that are thrown away, compares with its manifest.
///
///     fetch and verify → restore each dump in a room of its own → compare → destroy → record
///
/// A failed drill is a result as a good one is: it is on record, with what the engine said. The live server, the staging directory and the
/// repository are never changed.
public struct Drill: Sendable {
    let job: String
    let questions: Job.Drill
    let source: RestoreSource
    let means: RestoreMeans
    let options: Options

    public struct Options: Sendable {
        /// Whether to leave the copy where it is.
        public var keepsCopy = false
        /// How many processes work at once.
        public var jobs = 1
        public var tool: Manifest.Tool

        public init(tool: Manifest.Tool) { self.tool = tool }
    }

    public init(
        of job: String, asking questions: Job.Drill, from source: RestoreSource, by means: RestoreMeans,
        options: Options
    ) {
        (self.job, self.questions, self.source, self.means, self.options) = (job, questions, source, means, options)
    }

    /// Returns the record of a drill that failed too. Throws if it could not be held or recorded, and when it was cancelled.
    public func perform() async throws -> DrillRecord {
        let run = RunID(start: .now)
        var record = DrillRecord(
            runID: run, job: job, origin: source.origin, manifestSHA256: source.sealedManifest ?? "", tool: options.tool
        )
        try requireKnownQuestions()
        // What another one left takes the space that this one needs.
        try await means.undoLeftovers()
        let store = DrillStore(in: means.area.root)
        let sample = try await sample(store)
        defer { means.display.show([]) }
        do {
            try await means.area.withRoom(of: "muster drill", for: run, in: means.base, keeping: options.keepsCopy) {
                room in
                try await hold(sample, in: room, run, &record)
            }
        } catch {
            guard !Task.isCancelled else { throw error }
            record.error = DrillRecord.Failure(error.forOperator)
        }
        record.close(sample)
        try await store.add(record)
        return record
    }

    private func sample(_ store: DrillStore) async throws -> DrillSample {
        guard let drills = questions.drills else { return DrillSample(of: source.manifest) }
        var division = DrillDivision(of: source.manifest)
        for dump in source.manifest.dumps {
            let restorer = try means.restorers.restorer(of: dump)
            division.divide(
                dump, into: try await restorer.slices(of: dump, into: drills, reading: source.files(of: dump)))
        }
        return DrillSample(
            of: source.manifest, division, oneOf: drills, after: try await store.records(ofJob: job))
    }

    /// A question that is never asked would prove nothing and look as if it did.
    private func requireKnownQuestions() throws(DumpError) {
        guard let stranger = questions.strangers(in: source.manifest).first else { return }
        throw DumpError(
            .settings, "drill: asks database '\(stranger)', which no dump of \(source.origin.text) has",
            hint: "Correct the name below drill: in the job file, or have the database dumped.")
    }

    /// The first dump's drill begins while the files are still fetched.
    private func hold(
        _ sample: DrillSample, in room: FetchRoom, _ run: RunID, _ record: inout DrillRecord
    ) async throws {
        let dumps = source.manifest.dumps.filter { sample.items(of: $0) != nil }
        let parts = try dumps.flatMap { dump throws(DumpError) in try self.parts(of: dump, sample) }
        try room.letPass()
        let fetching = try DrillFetching(parts, of: source, in: room, by: means)
        try await withCleanup {
            for dump in dumps {
                let place = room.path.appending(escapedPathComponent(dump.name + ".restored"))
                try FileSystem.createDirectory(place)
                record.dumps.append(await proof(of: dump, sample, fetching, in: place, run))
                try Task.checkCancellation()
            }
        } cleanup: {
            if Task.isCancelled { fetching.cancel() }
            await fetching.end()
        }
        do {
            record.fetched = try await fetching.fetched()
        } catch {
            // It is what every dump has failed for.
            record.dumps = []
            throw error
        }
        record.manifestSHA256 = try sha256(of: fetching.manifest())
    }

    private func parts(of dump: Manifest.DumpRecord, _ sample: DrillSample) throws(DumpError) -> [SetPart] {
        let items = sample.items(of: dump) ?? []
        let paths = items.isEmpty ? nil : try means.restorers.restorer(of: dump).parts(of: dump, items: items)
        return dump.parts(at: paths)
    }

    /// What came of one dump. One that fails hides no other.
    private func proof(
        of dump: Manifest.DumpRecord, _ sample: DrillSample, _ fetching: DrillFetching, in room: FilePath, _ run: RunID
    ) async -> DrillRecord.Dump {
        let items = sample.items(of: dump) ?? []
        var request = questions.request(for: dump, items: items, jobs: options.jobs)
        request.keepsCopy = options.keepsCopy
        let context = means.context(
            of: dump.name, run, turns: RunContext.Turns(slots: WorkSlots(capacity: options.jobs)))
        let began = ContinuousClock.now
        var proof = DrillRecord.Dump(
            name: dump.name, provider: dump.provider, durationSeconds: 0, sample: items.isEmpty ? nil : items)
        do {
            proof.outcome = try await means.restorers.restorer(of: dump).drill(
                request, of: dump, awaiting: { () throws(DumpError) in try await fetching.directory(of: dump) },
                in: room, context)
        } catch {
            proof.error = DrillRecord.Failure(error)
        }
        // Not the time that it waited for its files.
        let end = await fetching.whenFetched ?? began
        proof.durationSeconds = (ContinuousClock.now - max(began, end)) / .seconds(1)
        return proof
    }
}

extension DrillRecord {
    /// What it has come to as a whole.
    fileprivate mutating func close(_ sample: DrillSample) {
        endedAt = .now
        let isGood = error == nil && !dumps.isEmpty && dumps.allSatisfy(\.isProven)
        outcome = isGood ? (sample.isWhole ? .proven : .sampled) : .failed
    }
}
