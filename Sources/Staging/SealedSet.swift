import DumpCore
import Linux
import SystemPackage

/// A complete set: every file hashed, listed, and on disk.
public struct SealedSet: Sendable {
    /// The set's directory.
    public let root: FilePath
    public let manifest: Manifest
    /// Of the bytes of `manifest.json`, 64 lower-case hex digits.
    public let manifestSHA256: String
    /// Everything in the set, `manifest.json` and the checksum files included; paths relative to `root`, parents first.
    public let entries: [Entry]

    public struct Entry: Sendable, Hashable {
        public var path: FilePath
        public var isDirectory: Bool
        /// 0 for a directory.
        public var bytes: Int64

        public init(path: FilePath, isDirectory: Bool, bytes: Int64) {
            self.path = path
            self.isDirectory = isDirectory
            self.bytes = bytes
        }
    }

    public init(root: FilePath, manifest: Manifest, manifestSHA256: String, entries: [Entry]) {
        self.root = root
        self.manifest = manifest
        self.manifestSHA256 = manifestSHA256
        self.entries = entries
    }
}

extension SealedSet.Entry {
    init(_ entry: FileTree.Entry) {
        let isDirectory = entry.status.kind == .directory
        self.init(path: entry.path, isDirectory: isDirectory, bytes: isDirectory ? 0 : entry.status.bytes)
    }
}
