import DumpCore
import Staging

/// What Borg records about one archive.
public struct ArchiveInfo: Sendable {
    public var end: Timestamp
    public var durationSeconds: Double
    /// Before anything was saved.
    public var originalBytes: Int64
    /// After compression; nil from Borg 2, which does not count it.
    public var compressedBytes: Int64?
    /// What only this archive holds, compressed: what deleting it would free. Nil from Borg 2.
    public var deduplicatedBytes: Int64?
    public var files: Int
    /// Such as `buzhash,19,23,21,4095`.
    public var chunkerParams: String
    public var comment: String
    /// Who made it, and where.
    public var user: String
    public var host: String
}

extension BorgRepository {
    /// What Borg records about an archive: sizes, times, who made it and how.
    public func info(of archive: Archive) async throws(BorgError) -> ArchiveInfo {
        let outcome = try await run(
            ["info", "--json", try await version().archive(archive)], output: .collect(limit: Self.largestDocument))
        try requireSuccess(outcome, "info")
        guard let entry = try understood(InfoDocument.self, in: outcome, "account of an archive").archives.first else {
            throw error(of: .archiveMissing)
        }
        return ArchiveInfo(entry)
    }
}

/// What `borg info --json ::ARCHIVE` writes.
struct InfoDocument: Decodable {
    var archives: [Entry]

    struct Entry: Decodable {
        var end: BorgTime
        var duration: Double
        var comment: String?
        var hostname: String?
        var username: String?
        var chunkerParams: [ChunkerParam]?
        var stats: Statistics
    }

    struct Statistics: Decodable {
        var originalSize: Int64
        var compressedSize: Int64?
        var deduplicatedSize: Int64?
        var nfiles: Int
    }

    /// A word or a number.
    struct ChunkerParam: Decodable, CustomStringConvertible {
        var description: String

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let number = try? container.decode(Int64.self) {
                description = "\(number)"
            } else {
                description = (try? container.decode(String.self)) ?? "none"
            }
        }
    }
}

extension ArchiveInfo {
    init(_ entry: InfoDocument.Entry) {
        self.init(
            end: entry.end.timestamp, durationSeconds: entry.duration, originalBytes: entry.stats.originalSize,
            compressedBytes: entry.stats.compressedSize, deduplicatedBytes: entry.stats.deduplicatedSize,
            files: entry.stats.nfiles,
            chunkerParams: (entry.chunkerParams ?? []).map(\.description).joined(separator: ","),
            comment: entry.comment ?? "", user: entry.username ?? "", host: entry.hostname ?? "")
    }
}
