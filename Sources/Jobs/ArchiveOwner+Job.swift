import Borg
import Staging

extension ArchiveOwner {
    /// A job, by what is on record of it in its staging area.
    ///
    /// - Parameter record: counts only if it is of a job with this name.
    public init(_ job: ReadyJob, _ record: JobRecord?) {
        let name = ArchiveSeries(host: job.hostName, job: job.name)
        let record = record?.job == job.name ? record : nil
        let known = record?.names.map { ArchiveSeries(host: $0.host, job: $0.job) } ?? []
        self.init(id: record?.id, names: known.filter { $0 != name } + [name])
    }
}

extension StagingArea {
    /// The job as the owner of archives: by the record in its staging area, if there is one.
    public static func owner(_ job: ReadyJob, in area: StagingArea?) async throws(StagingError) -> ArchiveOwner {
        ArchiveOwner(job, try await area?.jobRecord())
    }
}

extension StagingLock {
    /// Makes the staging area the job's, or throws if it is another job's.
    @discardableResult
    public func claim(for job: ReadyJob, takingOver: Bool = false) async throws(StagingError) -> JobRecord {
        try await claim(JobRecord.Name(host: job.hostName, job: job.name), file: job.file, takingOver: takingOver)
    }
}
