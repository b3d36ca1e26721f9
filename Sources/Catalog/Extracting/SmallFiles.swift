import Borg
import DumpCore
import SystemPackage

/// Files of an archive as Borg handed them out, by their paths in it, until they are asked for. None of them was verified.
actor SmallFiles {
    private var files: [[UInt8]: [UInt8]] = [:]

    func add(_ files: [[UInt8]: [UInt8]]) { self.files.merge(files) { $1 } }

    /// Gives one away: it is kept no longer.
    func take(_ path: FilePath) -> [UInt8]? { files.removeValue(forKey: path.bytes) }
}

extension BorgRepository {
    /// Files of an archive, all in memory, by their paths in it. One Borg for all of them; what is not there is left out.
    ///
    /// - Parameters:
    ///   - tellsWarnings: false where paths are guessed.
    ///   - isMeant: whether a file is kept. What it throws ends Borg.
    func smallFiles(
        of archive: Archive, at paths: [FilePath], tellsWarnings: Bool = true,
        isMeant: @escaping @Sendable (TarEntry) throws -> Bool = { $0.bytes <= 64 << 20 }
    ) async throws -> [[UInt8]: [UInt8]] {
        try await export(archive, paths, tellsWarnings: tellsWarnings) { reader in
            var found: [[UInt8]: [UInt8]] = [:]
            while let entry = try reader.next() {
                guard entry.kind == .file, try isMeant(entry) else { continue }
                found[entry.path] = try reader.contents(of: entry)
            }
            return found
        }
    }
}

extension TarReader {
    /// What the entry at hand holds, all in memory.
    fileprivate mutating func contents(of entry: TarEntry) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Int(entry.bytes))
        let count = try bytes.withUnsafeMutableBytes { try read(into: $0) }
        return Array(bytes.prefix(count))
    }
}
