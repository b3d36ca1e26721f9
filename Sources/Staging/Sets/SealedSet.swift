import DumpCore
import Linux
import SystemPackage

/// A complete set: every file hashed, listed, and on disk.
public struct SealedSet: Sendable {
    /// The set's directory.
    public let root: FilePath
    public let manifest: Manifest
    /// The SHA-256 of the bytes of `manifest.json`, 64 lower-case hex digits.
    public let manifestSHA256: String
    /// How many files there are, `manifest.json` and the checksum files included.
    public let files: Int

    public struct Entry: Sendable, Hashable {
        public var path: FilePath
        public var kind: FileStatus.Kind
        /// The size of a file; 0 for anything else.
        public var bytes: Int64

        public var isFile: Bool { kind == .file }

        public init(path: FilePath, kind: FileStatus.Kind, bytes: Int64) {
            self.path = path
            self.kind = kind
            self.bytes = bytes
        }
    }

    public init(root: FilePath, manifest: Manifest, manifestSHA256: String, files: Int) {
        self.root = root
        self.manifest = manifest
        self.manifestSHA256 = manifestSHA256
        self.files = files
    }

    /// Calls `visit` for everything in the set as it is now, paths relative to `root`, parents first. Holds none of it.
    public func visitAll(_ visit: (Entry) throws(Errno) -> Void) throws(StagingError) {
        try attempting(to: "list", root) {
            try FileTree(root).visitAll { entry throws(Errno) in try visit(Entry(entry)) }
        }
    }

    /// Where notes on the set that do not fit into memory may be kept, on the file system of the set. What a dead run left there is removed.
    public var workspace: FilePath { root.removingLastComponent().appending(StagingArea.incomingName) }
}

extension SealedSet.Entry {
    init(_ entry: FileTree.Entry) {
        let kind = entry.status.kind
        self.init(path: entry.path, kind: kind, bytes: kind == .file ? entry.status.bytes : 0)
    }
}
