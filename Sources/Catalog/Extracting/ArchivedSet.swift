import Borg
import DumpCore
import Logging
import Reporting
import Staging
import SystemPackage

/// The set in an archive.
public struct ArchivedSet: SetSource {
    public let archive: CatalogedArchive
    /// Read ahead of the question for them.
    let smallFiles = SmallFiles()
    private let known = KnownManifest()

    static let manifestPath: FilePath = "manifest.json"

    public init(_ archive: CatalogedArchive) { self.archive = archive }

    public var description: String { "archive '\(archive.archive.name)' in \(archive.repository.name)" }

    public func manifest() async throws -> Manifest {
        let (archive, smallFiles) = (archive, smallFiles)
        return try await known.read {
            guard let bytes = await smallFiles.take(Self.manifestPath) else {
                return try await archive.repository.manifest(of: archive.archive)
            }
            return try archive.repository.manifest(of: archive.archive, bytes)
        }
    }

    public func files(of dump: Manifest.DumpRecord) -> any DumpFiles {
        ArchivedFiles(of: dump, in: archive, knowing: smallFiles)
    }

    /// Borg is asked for the parts' paths and their vouchers, and for their sizes only where it is not clear that they fit.
    public func fetch(
        _ parts: [SetPart]?, into room: FetchRoom, display: any ProgressDisplay = NoDisplay(), log: Logger
    ) async throws -> FetchedSet {
        let manifest = try await manifest()
        let bytes = try await size(of: parts, manifest, in: room)
        try room.requireSpace(for: min(bytes, manifest.diskBytes).plus(manifest.bytesPutTogether(of: parts)))
        defer { display.show([]) }
        let unpacking = VerifiedUnpacking(
            source: archive, contents: ArchiveContents(archive: archive.archive, manifest: manifest), parts: parts,
            expectedBytes: bytes, display: display)
        let verified = try await unpacking.perform(into: room.directory, called: room.path)
        return FetchedSet(
            room: room, manifest: manifest, parts: parts, files: verified.files, bytes: verified.bytes)
    }

    /// 0 if that is not known, and there is room for more than they can have.
    private func size(of parts: [SetPart]?, _ manifest: Manifest, in room: FetchRoom) async throws -> Int64 {
        let most = manifest.mostBytes(of: parts)
        guard let parts, !manifest.areWholeDumps(parts) else { return most }
        // Each question costs a start of Borg, and a way to the server.
        guard try room.availableBytes() < most else { return 0 }
        return try await archive.repository.bytes(of: archive.archive, at: parts.flatMap(manifest.places))
    }
}
