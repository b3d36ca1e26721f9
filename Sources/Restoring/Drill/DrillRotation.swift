import Catalog
import DumpCore
import Jobs
import Logging

/// Which archive a drill is to try: the newest confirmed one of the repository whose last drill was longest ago.
public struct DrillRotation: Sendable {
    let job: ReadyJob
    let store: DrillStore
    let log: Logger

    /// - Parameter job: with the repositories that may be tried.
    public init(of job: ReadyJob, after store: DrillStore, log: Logger) {
        (self.job, self.store, self.log) = (job, store, log)
    }

    /// Throws errors for the operator only.
    public func next() async throws -> ArchivedSet {
        let records = try await store.records(ofJob: job.name)
        let last = { (name: String) in records.lastIndex { $0.origin.repository == name } ?? -1 }
        var due = job
        due.repositories = job.repositories.min { last($0.name) < last($1.name) }.map { [$0] } ?? []
        return try await ArchiveCatalog(of: due, log: log).set(ArchiveCatalog.latest)
    }
}
