import Borg
import Checksums
import DumpCore
import SystemPackage

extension Extraction {
    /// Throws unless the lists of files are what was sealed: without them, what is extracted could not be compared with anything.
    ///
    /// That of a tree is left out. It may be large, and its inventory vouches for the tree too. None is kept in memory.
    func requireLists(of contents: ArchiveContents) async throws {
        let dumps = contents.manifest.dumps.filter { dump in
            dump.tree == nil && wanted.map { dump.isMeant(by: FilePath($0)) } ?? true
        }
        guard !dumps.isEmpty else { return }
        let found = try await digests(at: dumps.map { FilePath($0.checksums.path) })
        guard let other = dumps.first(where: { found[FilePath($0.checksums.path).bytes] != $0.checksums.sha256 }) else {
            return
        }
        let (archive, repository) = (source.archive.name, source.repository.name)
        throw ArchiveError(
            .notVerified,
            "\(other.checksums.path) in archive '\(archive)' of repository '\(repository)' is not the list that the manifest vouches for",
            hint: "Nothing in it can be verified. Take another archive, or what is there unverified: "
                + "muster borg \(repository) -- extract ::\(archive)")
    }

    /// The digests of files in the archive, by their paths. A missing file has none.
    private func digests(at paths: [FilePath]) async throws -> [[UInt8]: String] {
        let name = source.archive.name
        return try await source.repository.export(source.archive, paths) { reader in
            var digests: [[UInt8]: String] = [:]
            do {
                while let entry = try reader.next() {
                    if entry.kind == .file { digests[entry.path] = try reader.sha256(of: entry) }
                }
            } catch let error as TarError {
                throw ArchiveError(.notVerified, "Borg's stream of archive '\(name)' cannot be understood: \(error)")
            }
            return digests
        }
    }
}

extension TarReader {
    /// What the entry at hand holds, read to its end.
    fileprivate mutating func sha256(of entry: TarEntry) throws -> String {
        let hash = try SHA256()
        var buffer = [UInt8](repeating: 0, count: 256 * 1024)
        var left = entry.bytes
        while left > 0 {
            let count = try buffer.withUnsafeMutableBytes { try read(into: $0) }
            guard count > 0 else { break }
            try buffer.withUnsafeBytes { try hash.update(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            left -= Int64(count)
        }
        return try hash.finish()
    }
}
