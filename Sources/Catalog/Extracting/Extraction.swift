import Borg
import DumpCore
import Linux
import Logging
import Reporting
import Staging
import SystemPackage

/// Takes a set, a dump of it, or a part of a dump out of an archive.
///
///     look → make room → unpack beside, and verify → flush → move into place
///
/// The directory appears under its name once every file in it is shown to be what was sealed. If that fails, what was extracted is kept as
/// `DIR.unverified`, because in a disaster a damaged file may be all there is.
public struct Extraction: Sendable {
    public let source: CatalogedArchive
    /// `DUMP` or `DUMP/PATH`, as the operator wrote it; nil for all of the set.
    public let wanted: String?
    public let target: FilePath
    /// The job's, where a record is kept of what a kill would leave. Nil without a job.
    let staging: FilePath?
    let display: any ProgressDisplay
    let log: Logger

    public init(
        of wanted: String?, from source: CatalogedArchive, in catalog: ArchiveCatalog, into target: FilePath,
        display: any ProgressDisplay = NoDisplay(), log: Logger
    ) {
        self.source = source
        self.wanted = wanted
        self.target = target
        staging = catalog.staging
        self.display = display
        self.log = log
    }

    /// What was extracted and verified.
    public struct Report: Sendable, Encodable {
        public var repository: String
        public var archive: String
        public var runID: RunID
        public var standing: RepositoryLedger.Standing
        /// What was asked for, relative to the set; nil for all of it.
        public var part: String?
        /// Where it is now.
        public var path: String
        /// Files that were compared with their checksums, and their bytes.
        public var files: Int
        public var bytes: Int64
    }

    /// Throws errors for the operator only, and then `target` is as it was.
    public func perform() async throws -> Report {
        let place = try vacantPlace()
        // Without the lists, which may be too large for memory: a path in a dump is there if something of it was extracted.
        let contents = ArchiveContents(
            archive: source.archive, manifest: try await source.repository.manifest(of: source.archive))
        try await requireLists(of: contents)
        let part = try wanted.map { wanted throws(ArchiveError) in try contents.part(wanted) }
        let bytes = try await size(of: part, in: contents)
        let tables = contents.manifest.bytesPutTogether(of: part.map { [$0] })
        try requireSpace(
            for: bytes.plus(tables), atLeast: min(bytes, contents.manifest.diskBytes).plus(tables), at: place)
        defer { display.show([]) }
        let path = Room.path(at: place)
        let verified = try await noting(path) { try await fill(Room(place, path), part, contents, bytes) }
        return Report(
            repository: source.repository.name, archive: source.archive.name, runID: contents.manifest.runID,
            standing: source.standing, part: part?.path.string, path: target.string, files: verified.files,
            bytes: verified.bytes)
    }

    private func noting<Result>(_ path: FilePath, _ work: () async throws -> Result) async throws -> Result {
        guard let staging else { return try await work() }
        return try await UnfinishedDirectory(path, of: "muster extract").noted(in: staging, log: log, work)
    }

    /// Extracts, verifies, and moves what is verified into its place.
    private func fill(
        _ room: Room, _ part: SetPart?, _ contents: ArchiveContents, _ bytes: Int64
    ) async throws -> VerificationReport {
        do {
            let unpacking = VerifiedUnpacking(
                source: source, contents: contents, parts: part.map { [$0] }, expectedBytes: bytes, display: display)
            let verified = try await unpacking.perform(into: room.directory, called: room.path)
            try await SetDirectory(room.workPath).putTablesTogether(of: contents.manifest, part.map { [$0] })
            try await room.complete(leavingOut: part?.scaffolding ?? [])
            return verified
        } catch {
            throw await room.leave(after: error)
        }
    }

    private func vacantPlace() throws(ArchiveError) -> VacantDirectory {
        do {
            return try VacantDirectory(target)
        } catch {
            throw ArchiveError(.target, error)
        }
    }

    private func size(of part: SetPart?, in contents: ArchiveContents) async throws(BorgError) -> Int64 {
        guard let part else { return contents.manifest.archivedBytes }
        return try await source.repository.bytes(of: source.archive, at: contents.manifest.places(of: part))
    }

    /// Throws where it cannot fit, and warns where it may not.
    ///
    /// - Parameters:
    ///   - bytes: with holes, and a file with several names each time.
    ///   - least: without.
    private func requireSpace(
        for bytes: Int64, atLeast least: Int64, at place: VacantDirectory
    ) throws(ArchiveError) {
        let parent = target.removingLastComponent()
        let free: Int64
        do {
            free = try FileSystem.availableBytes(at: place.parent.unmistakablePath)
        } catch {
            throw ArchiveError(.target, "cannot use \(parent): \(error)", hint: "Make that directory first.")
        }
        guard free < least else {
            if free < bytes {
                log.warning(
                    "it may not fit: Muster does not know how much of it is holes and hard links, which take no space",
                    metadata: ["bytes": "\(formatBytes(bytes))", "free": "\(formatBytes(free))"])
            }
            return
        }
        throw ArchiveError(
            .noSpace, "no space in \(parent): \(formatBytes(least)) needed, \(formatBytes(free)) free",
            hint: "Extract to another file system, or only a part: muster extract ARCHIVE DUMP/PATH.",
            context: ["needed_bytes": "\(least)", "free_bytes": "\(free)"])
    }
}
