import Borg
import Checksums
import DumpCore
import SystemPackage

/// Single files of a dump in an archive. Each is compared with the dump's list, and that with the manifest.
actor ArchivedFiles: DumpFiles {
    private let dump: Manifest.DumpRecord
    private let source: CatalogedArchive
    /// The dump's list, once it was read and found to be what was sealed.
    private var list: [UInt8]?

    /// What was read by now.
    private let known: SmallFiles

    init(of dump: Manifest.DumpRecord, in source: CatalogedArchive, knowing known: SmallFiles) {
        (self.dump, self.source, self.known) = (dump, source, known)
    }

    func contents(of path: FilePath, limit: Int64) async throws(DumpError) -> [UInt8] {
        let place = dump.directory.pushing(path)
        do {
            let found = try await files(at: place, limit: limit)
            guard let bytes = found[dump.pathInArchive(of: place).bytes] else { throw missing(place) }
            guard try sha256(of: bytes) == digest(of: place, found) else { throw changed(place) }
            return bytes
        } catch let error as DumpError {
            throw error
        } catch let error as any OperatorError {
            throw DumpError(.sourceUnavailable, error)
        } catch {
            throw DumpError(
                .system, "cannot read \(place) of archive '\(source.archive.name)': \(error)", underlying: error)
        }
    }

    /// By their paths in the archive, together with the list where that is needed: one Borg for what is not known.
    private func files(at place: FilePath, limit: Int64) async throws -> [[UInt8]: [UInt8]] {
        let listPath = FilePath(dump.checksums.path)
        let paths = [dump.pathInArchive(of: place)] + (needsList(place) ? [listPath] : [])
        var found: [[UInt8]: [UInt8]] = [:]
        for path in paths { found[path.bytes] = await known.take(path) }
        for (path, bytes) in found { try requireFitting(path, Int64(bytes.count), listPath, limit) }
        let missing = paths.filter { found[$0.bytes] == nil }
        guard !missing.isEmpty else { return found }
        return try await found.merging(
            source.repository.smallFiles(of: source.archive, at: missing) { [self] entry in
                try requireFitting(entry.path, entry.bytes, listPath, limit)
                return true
            }
        ) { $1 }
    }

    private nonisolated func requireFitting(
        _ path: [UInt8], _ bytes: Int64, _ list: FilePath, _ limit: Int64
    ) throws(DumpError) {
        let most = path == list.bytes ? Self.longestList : limit
        guard bytes > most else { return }
        let path = String(decoding: path, as: UTF8.self)
        throw DumpError(
            .incompleteDump,
            "\(path) in archive '\(source.archive.name)' has \(formatBytes(bytes)), more than \(formatBytes(most))")
    }

    private static let longestList: Int64 = 1 << 31

    /// The manifest itself vouches for an inventory.
    private func needsList(_ place: FilePath) -> Bool { list == nil && place != dump.inventoryPath }

    private func digest(of place: FilePath, _ found: [[UInt8]: [UInt8]]) throws -> String? {
        if let tree = dump.tree, place == dump.inventoryPath { return tree.inventorySHA256 }
        let path = FilePath(dump.checksums.path)
        if list == nil {
            guard let bytes = found[path.bytes] else { throw missing(path) }
            guard try sha256(of: bytes) == dump.checksums.sha256 else { throw changed(path) }
            list = bytes
        }
        return try ChecksumList.sha256(of: place, in: list ?? [])
    }

    private func missing(_ path: FilePath) -> DumpError {
        DumpError(
            .incompleteDump,
            "archive '\(source.archive.name)' in repository '\(source.repository.name)' holds no \(path)",
            hint: "Take another archive: muster list shows them.")
    }

    private func changed(_ path: FilePath) -> DumpError {
        DumpError(
            .incompleteDump,
            "\(path) in archive '\(source.archive.name)' of repository '\(source.repository.name)' is not what was sealed",
            hint:
                "Take another archive, or see what else is damaged: muster borg \(source.repository.name) -- check")
    }
}
