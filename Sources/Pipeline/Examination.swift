import Borg
import DumpCore
import Logging
import Staging

/// What prepare says of a job, when nothing more is wanted: `muster check`. Changes nothing, takes no lock.
public struct Examination: Sendable, Codable {
    public struct Part: Sendable, Codable {
        public enum Kind: String, Sendable, Codable { case staging, dump, repository }

        public var kind: Kind
        /// The dump's or repository's name, or the staging area's path.
        public var name: String
        /// Expected size in bytes, of a dump.
        public var estimatedBytes: Int64?
        public var findings: [Finding]
    }

    public var job: String
    public var parts: [Part]

    /// Whether a run could begin.
    public var passed: Bool { !parts.contains { $0.findings.contains { $0.severity == .failure } } }

    /// Whether a dump could not begin, as opposed to an archive.
    public var dumpsPassed: Bool {
        !parts.contains { $0.kind != .repository && $0.findings.contains { $0.severity == .failure } }
    }
}

extension Run {
    /// Prepares every source and every repository and closes them again.
    public func examine() async -> Examination {
        var report = newReport(of: "check")
        let prepared = await prepareAll(&report)
        await prepared.close()
        let dumps = prepared.sources.map { source in
            switch source.outcome {
            case .success(let examined):
                Examination.Part(
                    kind: .dump, name: source.name,
                    estimatedBytes: prepared.estimates[source.name], findings: examined.findings)
            case .failure(let error):
                Examination.Part(kind: .dump, name: source.name, findings: [Finding(error, about: source.name)])
            }
        }
        let staging = await examineStaging(prepared.estimates)
        let repositories = await examineRepositories()
        return Examination(job: job.name, parts: [staging] + dumps + repositories)
    }

    private func examineStaging(_ estimates: [String: Int64]) async -> Examination.Part {
        var part = Examination.Part(kind: .staging, name: job.staging.string, findings: [])
        do {
            part.findings = try await StagingArea.examine(job.staging, estimates: estimates)
        } catch {
            part.findings = [Finding(error, about: job.staging.string)]
        }
        return part
    }

    private func examineRepositories() async -> [Examination.Part] {
        var parts: [Examination.Part] = []
        for repository in job.repositories {
            var part = Examination.Part(kind: .repository, name: repository.name, findings: [])
            do {
                part.findings = try await repository.open().prepare()
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
    /// An error as the finding of a check.
    fileprivate init(_ error: any OperatorError, about object: String) {
        self.init(.failure, error.codeName, object: object, error.message, hint: error.hint)
    }
}
