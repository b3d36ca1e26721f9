import DumpCore
import SystemPackage

/// A table in the last set, as it was sealed.
public struct FormerRows: Sendable {
    /// Where its files are.
    public var directory: FilePath
    /// The SHA-256 of each, by its name.
    public var sealed: [String: String]
    /// The SHA-256 of the table's file as it was dumped then, and of the one that its files make when put together.
    public var dumpedSHA256: String
    public var sha256: String

    public init(directory: FilePath, sealed: [String: String], dumpedSHA256: String, sha256: String) {
        (self.directory, self.sealed) = (directory, sealed)
        (self.dumpedSHA256, self.sha256) = (dumpedSHA256, sha256)
    }
}

/// A table as it is stored now.
public struct StoredRows: Sendable {
    /// How it came to be stored.
    public enum Outcome: Sendable, Equatable {
        /// Whole, and why.
        case base(String)
        /// With the files of the last set alone.
        case unchanged
        /// With one change more: rows that came, that went, and that have another text.
        case change(added: Int64, removed: Int64, changed: Int64, isFolded: Bool)
    }

    public var outcome: Outcome
    public var files: [(name: FilePath.Component, digest: FileDigest)]
    /// The SHA-256 of the table's file as it was dumped.
    public var dumpedSHA256: String
    /// The SHA-256 of the one that the files make when put together.
    public var sha256: String
    public var bytes: Int64
    /// Files of the last set that are not what was sealed, and the reason for a base.
    public var damaged: [FilePath.Component] = []

    public var storedBytes: Int64 { files.reduce(0) { $0 + $1.digest.bytes } }
}
