import Catalog
import DumpCore
import Jobs
import Linux
import Restoring
import Staging
import SystemPackage

/// What a job's part of the report page is made of: its records, what its current set holds, and how much room there is.
public struct ReportMaterial: Sendable {
    public var records: JobRecords
    /// The databases of the current set, in the order of the manifest.
    public var databases: [Database] = []
    /// The moment of each dump in the current set.
    public var moments: [DumpMoment] = []
    /// Bytes that can still be written to the file system of the staging area. Nil if that is not known.
    public var stagingRoom: Int64?
    /// The same of repositories on this host, by name.
    public var repositoryRoom: [String: Int64] = [:]

    public struct Database: Sendable {
        public var dump: String
        public var name: String
        /// The size of its own dump; nil where it has none of its own.
        public var bytes: Int64?
        public var tables: Int
        public var rows: Int64
    }

    public struct DumpMoment: Sendable {
        public var dump: String
        public var moment: Moment
    }

    public init(_ records: JobRecords) { self.records = records }

    /// Reads it all, and changes nothing. No repository is asked.
    ///
    /// - Parameter state: the restore area that has the records of drills.
    public init(of job: Job, state: FilePath) async throws {
        self.init(try await JobRecords(of: job, state: state))
        // Records could be read, so a set that cannot be has been replaced meanwhile.
        if let contents = try? await SetContents.current(of: job) { note(contents) }
        stagingRoom = await Self.room(at: job.staging)
        for repository in job.repositories {
            guard let path = repository.settings.localPath else { continue }
            repositoryRoom[repository.name] = await Self.room(at: path)
        }
    }

    private mutating func note(_ contents: SetContents) {
        moments = contents.manifest.dumps.map { DumpMoment(dump: $0.name, moment: $0.moment) }
        databases = contents.manifest.dumps.flatMap { dump in
            dump.databases.map { database in
                Database(
                    dump: dump.name, name: database.name, bytes: contents.databaseBytes[dump.name]?[database.name],
                    tables: database.tables.count, rows: database.tables.map(\.rows).total)
            }
        }
    }

    /// Nil too if a file system, such as one whose server is gone, does not answer within some seconds: its thread is left behind then.
    private static func room(at path: FilePath) async -> Int64? {
        let (answers, answer) = AsyncStream.makeStream(of: Int64?.self)
        Task.detached { answer.yield(try? await onOwnThread { try FileSystem.availableBytes(at: path) }) }
        Task.detached {
            try? await Task.sleep(for: .seconds(5))
            answer.yield(nil)
        }
        for await bytes in answers { return bytes }
        return nil
    }
}
