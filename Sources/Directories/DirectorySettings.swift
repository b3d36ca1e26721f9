import DumpCore
import Snapshots
import SystemPackage

/// What a job file says of one file tree.
public struct DirectorySettings: Sendable, Equatable {
    /// The directory to copy. Absolute.
    public var path: FilePath
    public var selection = SelectionSettings()
    /// Nil: the tree is read while it may be written.
    public var snapshot: SnapshotSettings?
    public var stage = Stage.copy
    /// Whether the path must be a mount point: an unmounted disk must not be dumped as the directory that it is mounted on.
    public var requiresMount = false
    public var changedFiles = ChangedFiles.fail
    public var sparseFiles = SparseFiles.fail
    /// Nil: no limit.
    public var deadline: Duration? = .seconds(24 * 3600)

    public init(path: FilePath = "/") { self.path = path }

    /// How the tree gets into an archive.
    public enum Stage: String, Sendable, CaseIterable {
        /// Copied into the set.
        case copy
        /// Read by Borg in place, in its snapshot.
        case reference
    }

    /// What becomes of a file with more holes than anybody reads to the end: all of their zeros are hashed, and Borg reads them too.
    public enum SparseFiles: String, Sendable, CaseIterable {
        /// The dump fails, and names it.
        case fail
        /// It is read, however long that takes.
        case read

        /// A tebibyte: some twenty minutes.
        static let mostHoles: Int64 = 1 << 40
    }

    /// What becomes of a file that changes each time that it is copied.
    public enum ChangedFiles: String, Sendable, CaseIterable {
        /// The dump fails.
        case fail
        /// The last copy is kept, with a warning that names it.
        case warn
    }
}

/// What of a tree is left out.
public struct SelectionSettings: Sendable, Equatable {
    /// Whether nothing is.
    public var isEverything: Bool { self == SelectionSettings() }

    /// In the syntax of gitignore(5).
    public var exclude: [String] = []
    /// Whether directories with a valid `CACHEDIR.TAG` are left out (https://bford.info/cachedir/).
    public var excludesCaches = false
    /// A directory with an entry of such a name is left out, such as `.nobackup`.
    public var excludeIfPresent: [String] = []
    /// Whether other file systems that are mounted below the path are left out.
    public var isOneFileSystem = false

    public init() {}
}
