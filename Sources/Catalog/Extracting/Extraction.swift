import Borg
import DumpCore
import Linux
import Logging
import Reporting
import Staging
import SystemPackage

/// Takes a set, a dump of it, or a part of a dump out of an archive.
///
///     look → make room → unpack beside → verify → flush → move into place
///
/// The directory appears under its name once every file in it is shown to be what was sealed. What cannot be shown to be so is kept under
/// another name, which says it: in a disaster a damaged file may be all there is.
public struct Extraction: Sendable {
    public let source: CatalogedArchive
    /// `DUMP` or `DUMP/PATH`, as the operator wrote it; nil for all of the set.
    public let wanted: String?
    public let target: FilePath
    /// The job's, where a record is kept of what a kill would leave.
    let staging: FilePath
    let display: any ProgressDisplay
    let log: Logger

    public init(
        of wanted: String?, from source: CatalogedArchive, in catalog: ArchiveCatalog, into target: FilePath,
        display: any ProgressDisplay = NoDisplay(), log: Logger
    ) {
        self.source = source
        self.wanted = wanted
        self.target = target
        staging = catalog.job.staging
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
        // That of a tree may be too large for memory, and is not needed: a path in it is there if something of it was extracted.
        let contents = try await source.repository.contents(of: source.archive) { dump in
            dump.tree == nil && wanted.map { dump.isMeant(by: FilePath($0)) } ?? true
        }
        let part = try wanted.map { wanted throws(ArchiveError) in try contents.part(wanted) }
        let bytes = try await size(of: part, in: contents)
        try requireSpace(for: bytes, atLeast: min(bytes, contents.manifest.diskBytes), at: place)
        defer { display.show([]) }
        let path = Room.path(at: place)
        let verified = try await UnfinishedDirectory(path, of: "muster extract").noted(in: staging, log: log) {
            try await fill(Room(place, path), part, contents, bytes)
        }
        return Report(
            repository: source.repository.name, archive: source.archive.name, runID: contents.manifest.runID,
            standing: source.standing, part: part?.path.string, path: target.string, files: verified.files,
            bytes: verified.bytes)
    }

    /// Extracts, verifies, and moves what is verified into its place.
    private func fill(
        _ room: Room, _ part: SetPart?, _ contents: ArchiveContents, _ bytes: Int64
    ) async throws -> VerificationReport {
        do {
            let refused = try await extract(part, contents, bytes, into: room)
            if let part { try contents.requireExtracted(part, into: room.workPath) }
            await SetDirectory(room.workPath).restoreAttributes(of: contents.manifest, part)
            let verified = try await verify(part, contents, in: room)
            guard refused.count == 0 else { throw unfaithful(refused.first, count: refused.count) }
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
        var bytes: Int64 = 0
        for path in contents.places(of: part) {
            bytes = bytes.plus(try await source.repository.bytes(of: source.archive, at: path))
        }
        return bytes
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

    private func extract(
        _ part: SetPart?, _ contents: ArchiveContents, _ bytes: Int64, into room: Room
    ) async throws -> Refusals {
        let (display, name) = (display, source.repository.name)
        let (directory, places) = (room.directory, PlacesInSet(contents.manifest))
        let limits = Unpacking.Limits(for: contents.manifest)
        do {
            return try await source.repository.export(
                source.archive, part.map { $0.vouchers + contents.places(of: $0) } ?? []
            ) {
                display.show([
                    ProgressLine(.extract, name: name, progress: UnitProgress(bytes: $0, expectedBytes: bytes))
                ])
            } to: { reader in
                var unpacking = Unpacking(into: directory, places, limits)
                try unpacking.unpack(&reader)
                return unpacking.refused
            }
        } catch UnpackingError.tooMuch(let limit) {
            throw unfaithful(["it holds more than \(limit), which is more than its manifest says"])
        } catch let error as TarError {
            throw unfaithful(["Borg's stream of it cannot be understood: \(error)"])
        } catch let error as Errno {
            throw ArchiveError(
                error == .noSpace ? .noSpace : .system, "cannot write to \(room.path): \(error)", underlying: error)
        }
    }

    private func verify(
        _ part: SetPart?, _ contents: ArchiveContents, in room: Room
    ) async throws -> VerificationReport {
        let display = display
        let report: VerificationReport
        do {
            report = try await SetDirectory(room.workPath).verify(
                part, manifestSHA256: contents.archive.provenance?.manifestSHA256, referencedTrees: .extracted
            ) {
                display.show([ProgressLine(.verify, progress: UnitProgress(bytes: $0, expectedBytes: $1))])
            }
        } catch {
            guard [.notASet, .damagedSet, .newerFormat].contains(error.code) else { throw error }
            throw unfaithful([error.message.replacing("\(room.workPath)/", with: "")])
        }
        guard report.isFaithful else { throw unfaithful(report.problems.map(\.description)) }
        return report
    }

    private func unfaithful(_ problems: [String], count: Int? = nil) -> ArchiveError {
        let count = count ?? problems.count
        let more = count > 20 ? ["and \(count - 20) more"] : []
        return ArchiveError(
            .notVerified,
            "what archive '\(source.archive.name)' in repository '\(source.repository.name)' holds is not what was sealed",
            hint:
                "Extract from another archive, or see what else is damaged: muster borg \(source.repository.name) -- check",
            context: ["problems": (problems.prefix(20) + more).joined(separator: "\n")])
    }
}
