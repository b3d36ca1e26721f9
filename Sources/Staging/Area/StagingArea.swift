import DumpCore
import Linux
import SystemPackage

/// The directory that holds the sets of one job. Everything in it is ours alone, mode 0700.
///
///     <root>/
///       lock                 held by flock(2); never unlinked
///       journal/             what still has to be completed or undone, one file each, written before the act
///       incoming/<run-id>/   the set being built
///       current/             the last complete set; its path never changes
///       previous/            the set before, kept until the next is published
///       sealed               how the files of current/ looked when they were sealed, see SealedFiles
///       runs/<run-id>.json   run reports, each from the start of its run
///       repositories/<name>.json  what is remembered of each repository
///       unfinished/<run-id>.json  directories that commands fill elsewhere, see UnfinishedDirectory
///       job.json             which job this is
///       incidents.json       what receivers of notices have been told
///
/// At any instant, and after any crash, `current/` is the old complete set or the new one.
///
/// What takes time or may block runs on a thread of its own; all of it throws `StagingError`.
public struct StagingArea: Sendable, Hashable {
    public let root: FilePath

    /// The path of the last complete set. See `currentSet()`.
    public var current: FilePath { root.appending("current") }
    /// The path of the set before.
    public var previous: FilePath { root.appending("previous") }

    var lockFile: FilePath { root.appending(Self.lockName) }
    var journal: Journal { Journal(directory: root.appending(Self.journalName)) }
    var incoming: FilePath { root.appending(Self.incomingName) }
    var runs: FilePath { root.appending(Self.runsName) }
    var repositories: FilePath { root.appending(Self.repositoriesName) }

    static let lockName = FilePath.Component("lock")
    static let journalName = FilePath.Component("journal")
    static let incomingName = FilePath.Component("incoming")
    static let runsName = FilePath.Component("runs")
    static let repositoriesName = FilePath.Component("repositories")

    init(root: FilePath) { self.root = root }

    /// Opens the staging area at `root`, an absolute path. Makes it if nothing or an empty directory of our own is there.
    ///
    /// Throws `.unsuitableDirectory`, having changed nothing, for anything that does or might belong to others.
    public static func open(_ root: FilePath) async throws(StagingError) -> StagingArea {
        let area = StagingArea(root: root)
        try await onOwnThread { () throws(StagingError) in try area.makeWhatIsMissing() }
        return area
    }

    /// Opens the staging area at `root` without changing anything. Nil if there is none, and `open` could make one.
    ///
    /// Throws `.unsuitableDirectory` where `open` would.
    public static func openExisting(_ root: FilePath) async throws(StagingError) -> StagingArea? {
        let area = StagingArea(root: root)
        return try await onOwnThread { () throws(StagingError) in try area.isComplete() ? area : nil }
    }

    /// The runs whose sets are there, the last one first. A set that cannot be read is none.
    public func keptRuns() async -> [RunID] {
        let sets = [current, previous]
        return await onOwnThread { sets.compactMap(SetHead.runID(of:)) }
    }

    /// What the manifest of the last complete set says, or nil if none was ever published. Nothing else of the set is looked at.
    public func currentManifest() async throws(StagingError) -> Manifest? {
        guard try await hasCurrentSet() else { return nil }
        let area = self
        return try await onOwnThread { () throws(StagingError) in try SetHead(of: area.current).manifest }
    }

    /// The last complete set as its manifest describes it, or nil if none was ever published. File contents are not read, see
    /// `SetDirectory`. Only while one of the locks is held does it stay where it is.
    ///
    /// Throws `.notASet`, `.newerFormat` or `.damagedSet` for anything that must not be archived.
    public func currentSet() async throws(StagingError) -> SealedSet? {
        guard try await hasCurrentSet() else { return nil }
        let area = self
        return try await onOwnThread { () throws(StagingError) in
            try SetInspection(SetHead(of: area.current)).requireIntact()
        }
    }

    /// Whether a set, of whatever state, is there.
    func hasCurrentSet() async throws(StagingError) -> Bool {
        let area = self
        guard let status = try await onOwnThread({ () throws(StagingError) in try area.status(of: area.current) })
        else {
            return false
        }
        guard status.kind == .directory else {
            // Borg would archive a symbolic link as such.
            throw StagingError(
                .notASet, "\(current) is not a directory", hint: "Remove it. Then take a new set with muster run.")
        }
        return true
    }

    func exists(_ path: FilePath) throws(StagingError) -> Bool { try status(of: path) != nil }

    func status(of path: FilePath) throws(StagingError) -> FileStatus? {
        do {
            return try attempting(to: "look at", path) { try FileSystem.status(of: path) }
        } catch let error where error.underlying as? Errno == .noSuchFileOrDirectory {
            return nil
        }
    }
}
