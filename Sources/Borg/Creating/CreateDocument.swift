import Documents
import DumpCore
import Staging

/// What `borg create --json` writes to standard output once the archive is in the repository.
struct CreateDocument: Decodable, Sendable {
    var archive: CreatedArchive
    var cache: Cache?
    var repository: RepositoryDocument.Entry?
    var encryption: RepositoryDocument.Encryption?

    struct Cache: Decodable, Sendable {
        /// The directory.
        var path: String?
    }

    /// The repository that it went to.
    var known: KnownRepository? {
        repository.map { RepositoryDocument(repository: $0, encryption: encryption).known }
    }

    struct CreatedArchive: Decodable, Sendable {
        var name: String
        var id: String
        var start: BorgTime
        var stats: Statistics
    }

    struct Statistics: Decodable, Sendable {
        /// Borg 1's.
        var deduplicatedSize: Int64?
        /// Borg 2's.
        var storeStats: StoreStatistics?

        /// What the repository grew by, compressed.
        var storedBytes: Int64 { deduplicatedSize ?? storeStats?.storeVolume ?? 0 }
    }

    struct StoreStatistics: Decodable, Sendable {
        var storeVolume: Int64
    }

    /// Nil for anything that is not such a document: a program that says nothing has not shown that there is an archive.
    init?(_ output: [UInt8]) {
        guard let document = try? SnakeCaseJSON.decode(Self.self, from: output) else { return nil }
        self = document
    }
}

/// A time in Borg's JSON: `2026-11-23T08:01:02.000000`, without its zone, which is UTC because we run Borg so.
struct BorgTime: Decodable, Sendable {
    var timestamp: Timestamp

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        let withMilliseconds = text.prefix("2026-11-23T08:01:02.000".count)
        guard let timestamp = Timestamp(withMilliseconds + "Z") else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a time of Borg's")
        }
        self.timestamp = timestamp
    }
}
