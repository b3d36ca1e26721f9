import Documents
import DumpCore
import Linux
import SystemPackage

/// Which job a staging area belongs to, `job.json` in it. Written under the lock by the first run there.
public struct JobRecord: Sendable, Codable, Equatable {
    /// A job's name and its host's, as they stand in the names of archives.
    public struct Name: Sendable, Codable, Hashable {
        public var host: String
        public var job: String

        public init(host: String, job: String) {
            self.host = host
            self.job = job
        }
    }

    public var formatVersion = 1
    /// The job's, for good: it survives another name and another host.
    public var id: JobID
    /// What the job has been called, the present name last.
    public var names: [Name]
    /// The job file of the last run; nil if that is not known.
    public var file: String?

    public init(id: JobID = JobID(), names: [Name]) {
        self.id = id
        self.names = names
    }

    /// The job's name now.
    public var job: String { names.last?.job ?? "" }

    mutating func add(_ name: Name) {
        names.removeAll { $0 == name }
        names.append(name)
    }
}

extension StagingArea {
    var jobFile: FilePath { root.appending("job.json") }

    /// What is on record of the area's job; nil if nothing is, as before its first run. Throws if that cannot be understood.
    public func jobRecord() async throws(StagingError) -> JobRecord? {
        let area = self
        return try await onOwnThread { () throws(StagingError) in try area.readJobRecord() }
    }

    /// Throws `.anotherJob` if the area is known to be that of another job. That job has another name, or it has another file that is still
    /// there and says something else.
    public func requireJob(_ job: String, file: FilePath?) async throws(StagingError) {
        let area = self
        try await onOwnThread { () throws(StagingError) in try area.requireJob(job, file, by: area.readJobRecord()) }
    }

    fileprivate func readJobRecord() throws(StagingError) -> JobRecord? {
        guard let bytes = try SmallFile(jobFile).read() else { return nil }
        do {
            return try SnakeCaseJSON.decode(JobRecord.self, from: bytes)
        } catch {
            throw StagingError(
                .damagedRecord, "\(jobFile), the record of the job, cannot be understood",
                hint: "A newer Muster may have written it. Without it the job's archives count as another job's.",
                underlying: error)
        }
    }

    /// An area from before there were records is that of the job whose set is in it.
    fileprivate func requireJob(_ job: String, _ file: FilePath?, by record: JobRecord?) throws(StagingError) {
        try requireJobFile(file, by: record)
        guard let owner = record?.job ?? SetHead.manifest(of: current)?.job, owner != job else { return }
        throw StagingError(
            .anotherJob, "staging directory \(root) belongs to job '\(owner)', not to job '\(job)'",
            hint: "Give job '\(job)' a staging directory of its own. If it is '\(owner)' under a new name: "
                + "muster accept --staging.")
    }
}

extension StagingArea {
    /// A job file may move. One that is still there beside another of its name is another job's, unless both say the same.
    private func requireJobFile(_ file: FilePath?, by record: JobRecord?) throws(StagingError) {
        guard let file, let known = record?.file.map({ FilePath($0) }), file != known, file.stem == known.stem,
            let former = known.beginning, former != file.beginning
        else { return }
        throw StagingError(
            .anotherJob, "staging directory \(root) belongs to the job in \(known), not to the one in \(file)",
            hint:
                "Give each a staging directory of its own. If \(file) takes the other's place: muster accept --staging."
        )
    }
}

extension FilePath {
    /// The bytes of a job file, as far as one is read. Nil if there is none.
    fileprivate var beginning: [UInt8]? { try? FileSystem.bytes(of: self, atMost: 1 << 20) }
}

extension StagingLock {
    /// Makes the area that of this job, or throws `.anotherJob` if it is another's.
    ///
    /// - Parameters:
    ///   - file: the job's; nil if it has none.
    ///   - takingOver: the area of another job too: this job is that one, renamed.
    @discardableResult
    public func claim(
        _ name: JobRecord.Name, file: FilePath? = nil, takingOver: Bool = false
    ) async throws(StagingError) -> JobRecord {
        try await onOwnThread { () throws(StagingError) in
            try self.requireHeld()
            let known = try self.area.readJobRecord()
            if !takingOver { try self.area.requireJob(name.job, file, by: known) }
            var record = known ?? JobRecord(names: self.area.namesOfCurrentSet)
            record.add(name)
            if let file { record.file = file.string }
            if record != known { try self.area.write(record) }
            return record
        }
    }
}

extension StagingArea {
    /// The names before there was a record.
    fileprivate var namesOfCurrentSet: [JobRecord.Name] {
        SetHead.manifest(of: current).map { [JobRecord.Name(host: $0.host, job: $0.job)] } ?? []
    }

    fileprivate func write(_ record: JobRecord) throws(StagingError) {
        try SmallFile(jobFile).replace(attempting(to: "encode", jobFile) { try SnakeCaseJSON.encode(record) })
    }
}
