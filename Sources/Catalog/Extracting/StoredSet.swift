import DumpCore
import Linux
import Logging
import Reporting
import Staging
import SystemPackage

/// A set on disk: `current/`, `previous/`, or one that was extracted. Nothing of it is ever changed.
///
/// Who reads `current/` holds the staging area's lock meanwhile: two runs could replace it and remove what was in it.
public struct StoredSet: SetSource {
    public let directory: FilePath
    private let known = KnownManifest()

    public init(at directory: FilePath) { self.directory = directory }

    public var description: String { "the set in \(directory)" }

    public func manifest() async throws -> Manifest {
        let set = SetDirectory(directory)
        return try await known.read { try await set.manifest() }
    }

    public func files(of dump: Manifest.DumpRecord) -> any DumpFiles { StoredFiles(dump: dump, directory: directory) }

    public func fetch(
        _ parts: [SetPart]?, into room: FetchRoom, display: any ProgressDisplay = NoDisplay(), log: Logger
    ) async throws -> FetchedSet {
        let manifest = try await manifest()
        for part in parts ?? [] { try requireThere(part, of: manifest) }
        let bytes = await size(of: parts, manifest)
        try room.requireSpace(for: min(bytes, manifest.diskBytes).plus(manifest.bytesPutTogether(of: parts)))
        defer { display.show([]) }
        let report = try await SetDirectory(directory).copy(parts, into: room.directory) {
            display.show([ProgressLine(.extract, progress: UnitProgress(bytes: $0, expectedBytes: bytes))])
        }
        guard report.isFaithful else {
            throw ArchiveError.unfaithful(
                "\(directory)", report.problems.map(\.description),
                hint: "Take another set, or an archive: muster list shows them.")
        }
        return FetchedSet(room: room, manifest: manifest, parts: parts, files: report.files, bytes: report.bytes)
    }

    private func size(of parts: [SetPart]?, _ manifest: Manifest) async -> Int64 {
        guard let parts, !manifest.areWholeDumps(parts) else { return manifest.mostBytes(of: parts) }
        let directory = directory
        return await onOwnThread { parts.lazy.map { FileTree(directory.pushing($0.path)).bytes() }.total }
    }

    private func requireThere(_ part: SetPart, of manifest: Manifest) throws(ArchiveError) {
        let dump = manifest.dumps.first { $0.name == part.dump }
        if let dump, dump.tree?.reference != nil, let tree = dump.treePath,
            part.covers(tree) || part.path.starts(with: tree),
            !isThere(tree)
        {
            throw ArchiveError(
                .notInArchive, "the tree of dump '\(part.dump)' is not in \(directory): Borg read it in place",
                hint: "Restore it from an archive: muster list shows them.")
        }
        guard !isThere(part.path) else { return }
        throw ArchiveError(
            .notInArchive, "the set in \(directory) holds no \(part.path)",
            hint: "Name what it holds: muster list shows that of archives.")
    }

    private func isThere(_ path: FilePath) -> Bool { (try? FileSystem.status(of: directory.pushing(path))) != nil }
}

/// Single files of a dump in a set on disk.
private struct StoredFiles: DumpFiles {
    let dump: Manifest.DumpRecord
    let directory: FilePath

    func contents(of path: FilePath, limit: Int64) async throws(DumpError) -> [UInt8] {
        do throws(StagingError) {
            return try await SetDirectory(directory).contents(of: dump.directory.pushing(path), in: dump, limit: limit)
        } catch {
            throw DumpError(error.code == .system ? .system : .incompleteDump, error)
        }
    }
}
