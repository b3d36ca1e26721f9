import Documents
import DumpCore
import Linux
import Staging
import SystemPackage

/// What drills have found on this host, one file each: `drills/<SHA-256 of the manifest>.<run of the drill>.json`.
public struct DrillStore: Sendable {
    private let directory: FilePath

    /// - Parameter root: of a restore area, which need not exist.
    public init(in root: FilePath = RestoreArea.usualRoot()) { directory = root.appending("drills") }

    /// On return it is on disk.
    func add(_ record: DrillRecord) async throws {
        let (directory, bytes) = (directory, try SnakeCaseJSON.encode(record))
        let file = SmallFile(directory.appending("\(record.manifestSHA256).\(record.runID).json"))
        try await onOwnThread {
            do throws(Errno) { try FileSystem.createDirectory(directory) } catch  where error == .fileExists {}
            try file.replace(bytes)
        }
    }

    /// The records of one set, oldest first.
    public func records(of manifestSHA256: String) async throws -> [DrillRecord] {
        try await records { $0.hasPrefix(manifestSHA256 + ".") }
    }

    /// The records of a job, over all its sets, oldest first.
    public func records(ofJob job: String) async throws -> [DrillRecord] {
        try await records { _ in true }.filter { $0.job == job }
    }

    /// The verdict of all that is on record, newest first.
    public func verdicts() async throws -> [String: DrillVerdict] {
        Dictionary(grouping: try await records { _ in true }, by: \.manifestSHA256).compactMapValues(DrillVerdict.init)
    }

    private func records(whoseName isMeant: @escaping @Sendable (String) -> Bool) async throws -> [DrillRecord] {
        let directory = directory
        return try await onOwnThread {
            try Self.names(in: directory).filter { $0.string.hasSuffix(".json") && isMeant($0.string) }
                .compactMap { try Self.read(directory.appending($0)) }
                .sorted { $0.endedAt < $1.endedAt }
        }
    }

    private static func names(in directory: FilePath) throws -> [FilePath.Component] {
        do throws(Errno) {
            return try FileSystem.names(in: directory)
        } catch  where error == .noSuchFileOrDirectory {
            return []
        }
    }

    /// Nil for a record of a newer Muster, or a damaged one: it proves nothing.
    private static func read(_ path: FilePath) throws -> DrillRecord? {
        guard let bytes = try SmallFile(path).read(longest: 64 << 20) else { return nil }
        return try? SnakeCaseJSON.decode(DrillRecord.self, from: bytes)
    }
}

/// What all drills of one set say together.
public enum DrillVerdict: Sendable, Equatable {
    /// Everything in it was restored and compared, in one drill.
    case proven(at: Timestamp)
    /// Some of it was.
    case sampled(at: Timestamp)
    /// The last drill failed.
    case failed(at: Timestamp)

    /// - Parameter records: oldest first. Nil without any.
    init?(_ records: [DrillRecord]) {
        guard let last = records.last else { return nil }
        let proven = records.last { $0.outcome == .proven }
        switch last.outcome {
        case .failed: self = .failed(at: last.endedAt)
        case .proven, .sampled: self = proven.map { .proven(at: $0.endedAt) } ?? .sampled(at: last.endedAt)
        }
    }
}
