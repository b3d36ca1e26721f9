import Borg
import Catalog
import DumpCore
import Jobs
import Logging
import Reporting
import Staging

extension Examination {
    /// Prepares every source and every repository of the job and closes them again.
    public init(of job: ReadyJob, log: Logger) async {
        let providers = ProviderContexts(job: job, run: RunID(start: .now), log: log)
        // A staging area that cannot be opened is examined by itself.
        let prepared = await providers.prepareAll(for: try? StagingArea.openExisting(job.staging))
        await prepared.close()
        let (staging, history) = await Self.examineStaging(of: job, prepared.estimates)
        let dumps = prepared.sources.map { source in
            var part = Part(source)
            part.estimatedBytes = prepared.estimates[source.name]
            part.lastRun = history.last(source.name, source.kind)
            return part
        }
        let repositories = await Self.examineRepositories(of: job)
        self.init(job: job.name, parts: [staging] + dumps + repositories)
    }

    private static func examineStaging(of job: ReadyJob, _ estimates: [String: Int64]) async -> (Part, RunHistory) {
        var part = Part(kind: .staging, name: job.staging.string, findings: [])
        do {
            let staging = try await StagingArea.examine(
                job.staging, estimates: estimates, handedTo: job.dumpUsers)
            part.expectedBytes = staging.expectedBytes
            part.freeBytes = staging.freeBytes
            part.findings = staging.findings
            try await StagingArea.openExisting(job.staging)?.requireJob(job.name, file: job.file)
            return (part, try await RunHistory(of: job.staging))
        } catch {
            part.findings.insert(Finding(error, about: job.staging.string), at: 0)
            return (part, RunHistory())
        }
    }

    private static func examineRepositories(of job: ReadyJob) async -> [Part] {
        var parts: [Part] = []
        var known: [String: String] = [:]
        for repository in job.repositories {
            var part = Part(kind: .repository, name: repository.name, findings: [])
            do {
                let ledger = try await RepositoryLedger(of: repository.name, in: .openExisting(job.staging))
                let borg = try await job.open(repository)
                let examined = try await borg.prepare(
                    knowsArchives: ledger.knowsArchives(at: repository.settings.location)
                ) { known throws(BorgError) in
                    try ledger.requireLocation(of: borg, holding: known)
                }
                part.findings = examined.findings
                if let id = examined.id {
                    if let first = known[id] { part.findings.append(.sameRepository(repository.name, first)) }
                    known[id] = known[id] ?? repository.name
                }
            } catch {
                let error = error.forOperator
                part.findings = [Finding(error, about: repository.name)]
            }
            parts.append(part)
        }
        return parts
    }
}

extension Finding {
    /// Two repositories of a job that are one are one copy, not two.
    static func sameRepository(_ name: String, _ first: String) -> Finding {
        Finding(
            .failure, "same_repository", object: name,
            "'\(first)' and '\(name)' are the same repository under two locations", hint: "Leave one out.")
    }
}

extension Examination.Part {
    fileprivate init(_ source: PreparedJob.Source) {
        self.init(kind: .dump, name: source.name, findings: [])
        switch source.outcome {
        case .success(let examined):
            reachable = true
            facts = examined.facts
            findings = examined.findings
            omissions = examined.omissions
        case .failure(let error):
            reachable = error.code == .sourceUnavailable ? false : nil
            findings = [Finding(error, about: source.name)]
        }
    }
}
