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

    init(of dump: Manifest.DumpRecord, in source: CatalogedArchive) { (self.dump, self.source) = (dump, source) }

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

    /// By their paths in the archive, together with the list where that is not known: one Borg for both.
    private func files(at place: FilePath, limit: Int64) async throws -> [[UInt8]: [UInt8]] {
        let listPath = FilePath(dump.checksums.path)
        let paths = [dump.pathInArchive(of: place)] + (needsList(place) ? [listPath] : [])
        let (name, listBytes) = (source.archive.name, listPath.bytes)
        return try await source.repository.export(source.archive, paths) { reader in
            var found: [[UInt8]: [UInt8]] = [:]
            while let entry = try reader.next() {
                guard entry.kind == .file else { continue }
                let most = entry.path == listBytes ? Self.longestList : limit
                guard entry.bytes <= most else {
                    let path = String(decoding: entry.path, as: UTF8.self)
                    throw DumpError(
                        .incompleteDump,
                        "\(path) in archive '\(name)' has \(formatBytes(entry.bytes)), more than \(formatBytes(most))")
                }
                found[entry.path] = try reader.contents(of: entry)
            }
            return found
        }
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

extension TarReader {
    /// What the entry at hand holds, all in memory.
    fileprivate mutating func contents(of entry: TarEntry) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Int(entry.bytes))
        let count = try bytes.withUnsafeMutableBytes { try read(into: $0) }
        bytes.removeLast(bytes.count - count)
        return bytes
    }
}
