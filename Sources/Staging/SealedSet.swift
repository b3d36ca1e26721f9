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
        public var kind: FileStatus.Kind
        /// Of a file; 0 for anything else.
        public var bytes: Int64

        public var isFile: Bool { kind == .file }

        public init(path: FilePath, kind: FileStatus.Kind, bytes: Int64) {
            self.path = path
            self.kind = kind
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
        let kind = entry.status.kind
        self.init(path: entry.path, kind: kind, bytes: kind == .file ? entry.status.bytes : 0)
    }
}
