import Borg
import DumpCore
import Staging

/// What prepare says of a job, when nothing more is wanted: `muster check`. Takes no lock, and changes nothing but that it writes one file
/// to the staging area and removes it.
public struct Examination: Sendable, Encodable {
    public struct Part: Sendable, Encodable {
        public enum Kind: String, Sendable, Codable { case staging, dump, repository }

        public var kind: Kind
        /// The dump's or repository's name, or the staging area's path.
        public var name: String
        /// Whether a dump's source answered; nil where something else stood in the way before it was asked.
        public var reachable: Bool?
        /// What was learnt of a dump's source, in the order to show it.
        public var facts: ErrorContext?
        /// Expected size in bytes, of a dump.
        public var estimatedBytes: Int64?
        /// What the newest good run took of a dump.
        public var lastRun: PastDump?
        /// What the next set will take of the staging area, and what is free there.
        public var expectedBytes: Int64?
        public var freeBytes: Int64?
        /// Most severe first.
        public var findings: [Finding]
        /// What a dump would not hold although it is in its source.
        public var omissions: [Finding] = []

        public var isReady: Bool { failures.isEmpty }
    }

    public var job: String
    public var parts: [Part]
    /// Whether a run would succeed, as far as can be known before it.
    public var ready: Bool
    /// The same in words, with the parts that stand in its way: `nightly: NOT READY: repository local`.
    public var verdict: String

    init(job: String, parts: [Part]) {
        self.job = job
        self.parts = parts
        let obstacles = parts.filter { !$0.isReady }.map(\.label)
        ready = obstacles.isEmpty
        verdict = ready ? "\(job): READY" : "\(job): NOT READY: \(obstacles.joined(separator: ", "))"
    }

    /// What a run would end with; nil if it would succeed.
    public enum Obstacle: Sendable { case dump, archive, lock, configuration }
    public var obstacle: Obstacle? {
        guard !ready else { return nil }
        if parts.allSatisfy({ $0.kind == .repository || $0.isReady }) { return .archive }
        let codes = Set(parts.filter { $0.kind != .repository }.flatMap(\.failures).map(\.code))
        if codes == [StagingError.Code.locked.rawValue] { return .lock }
        // A run asks whose the staging area is before anything else.
        return codes.contains(StagingError.Code.anotherJob.rawValue) ? .configuration : .dump
    }
}

extension Examination.Part {
    /// As a verdict names it. There is one staging area.
    var label: String { kind == .staging ? kind.rawValue : "\(kind.rawValue) \(name)" }

    var failures: [Finding] { (findings + omissions).filter { $0.severity == .failure } }
}

extension Run {
    /// Prepares every source and every repository and closes them again.
    public func examine() async -> Examination {
        var report = newReport(of: "check")
        // A staging area that cannot be opened is examined by itself.
        let prepared = await prepareAll(&report, for: try? StagingArea.openExisting(job.staging))
        await prepared.close()
        let (staging, history) = await examineStaging(prepared.estimates)
        let dumps = prepared.sources.map { source in
            var part = Examination.Part(source)
            part.estimatedBytes = prepared.estimates[source.name]
            part.lastRun = history.last(source.name, source.kind)
            return part
        }
        let repositories = await examineRepositories()
        return Examination(job: job.name, parts: [staging] + dumps + repositories)
    }

    private func examineStaging(_ estimates: [String: Int64]) async -> (Examination.Part, RunHistory) {
        var part = Examination.Part(kind: .staging, name: job.staging.string, findings: [])
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

    private func examineRepositories() async -> [Examination.Part] {
        var parts: [Examination.Part] = []
        var known: [String: String] = [:]
        for repository in job.repositories {
            var part = Examination.Part(kind: .repository, name: repository.name, findings: [])
            do {
                let ledger = try await RepositoryLedger(of: repository.name, in: .openExisting(job.staging))
                let borg = try await repository.open()
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
                let error = error as? any OperatorError ?? UnexpectedError(error)
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
