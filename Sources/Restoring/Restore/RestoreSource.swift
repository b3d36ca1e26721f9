import Borg
import Catalog
import DumpCore
import Linux
import Logging
import Reporting
import Staging
import SystemPackage

/// A set that dumps are taken from, with what it says of itself.
public struct RestoreSource: Sendable {
    let set: any SetSource
    public let manifest: Manifest
    /// For reports.
    public let origin: RestoreOrigin
    /// Commands that take it out without Muster and verify it.
    let guide: [String]
    /// The SHA-256 of the manifest that was sealed, where that is known before it is fetched.
    let sealedManifest: String?
    /// Keeps a published set where it is, until this process ends.
    private let lock: StagingReadLock?

    /// The set in an archive.
    public init(_ set: ArchivedSet) async throws {
        let archive = set.archive
        manifest = try await set.manifest()
        origin = RestoreOrigin(
            repository: archive.repository.name, archive: archive.archive.name, runID: manifest.runID)
        sealedManifest = archive.archive.provenance?.manifestSHA256
        guide = [
            "# as root, in an empty directory; BORG_PASSPHRASE or BORG_PASSCOMMAND opens the repository",
            "borg extract \("\(archive.repository.settings.plainLocation)::\(archive.archive.name)".asShellWord)",
            Self.verifying,
        ]
        self.set = set
        lock = nil
    }

    /// A set on disk. One that was published is locked against change; while a run has the lock, it is refused.
    public init(at directory: FilePath) async throws {
        lock = try await Self.lock(of: directory)
        let set = StoredSet(at: directory)
        manifest = try await set.manifest()
        origin = RestoreOrigin(set: directory.string, runID: manifest.runID)
        sealedManifest = nil
        guide = ["cd \(directory.string.asShellWord)", Self.verifying]
        self.set = set
    }

    private static func lock(of directory: FilePath) async throws -> StagingReadLock? {
        guard ["current", "previous"].contains(directory.lastComponent?.string) else { return nil }
        // A directory that is not a staging area has no lock.
        let area = try? await StagingArea.openExisting(directory.removingLastComponent())
        return try await area?.lockForReading(command: "muster restore --set \(directory)")
    }

    private static let verifying = "sha256sum --quiet -c checksums/*.sha256"

    func files(of dump: Manifest.DumpRecord) -> any DumpFiles { set.files(of: dump) }

    /// Fetches parts of the set, and says how long it took.
    func fetch(
        _ parts: [SetPart], into room: FetchRoom, by means: RestoreMeans
    ) async throws -> (set: FetchedSet, Fetched) {
        let began = ContinuousClock.now
        let fetched = try await set.fetch(parts, into: room, display: means.display, log: means.log)
        let seconds = (ContinuousClock.now - began) / .seconds(1)
        means.log.info(
            "fetched and verified",
            metadata: ["files": "\(fetched.files)", "bytes": "\(formatBytes(fetched.bytes))"])
        return (fetched, Fetched(files: fetched.files, bytes: fetched.bytes, durationSeconds: seconds))
    }
}

/// How much was fetched, and compared with its checksums.
public struct Fetched: Sendable, Codable {
    public var files: Int
    public var bytes: Int64
    public var durationSeconds: Double

    public init(files: Int, bytes: Int64, durationSeconds: Double) {
        (self.files, self.bytes, self.durationSeconds) = (files, bytes, durationSeconds)
    }
}

/// Where what is restored was taken from.
public struct RestoreOrigin: Sendable, Codable, Hashable {
    /// The repository, for an archive.
    public var repository: String?
    public var archive: String?
    /// The directory, for a set on disk.
    public var set: String?
    public var runID: RunID

    public init(repository: String? = nil, archive: String? = nil, set: String? = nil, runID: RunID) {
        (self.repository, self.archive, self.set, self.runID) = (repository, archive, set, runID)
    }

    /// For people.
    public var text: String {
        if let archive { return "archive \(archive)" + (repository.map { " in \($0)" } ?? "") }
        return "set \(runID)" + (set.map { " in \($0)" } ?? "")
    }
}

extension Manifest.DumpRecord {
    /// What to fetch of it.
    ///
    /// - Parameter paths: relative to its directory; nil is all of it.
    func parts(at paths: [FilePath]?) -> [SetPart] {
        (paths ?? [FilePath()]).map { SetPart(of: self, path: directory.pushing($0)) }
    }
}
