import DumpCore
import Glibc
import Linux
import Staging
import SystemPackage

/// Where restores and drills of this host work, apart from every job: a restore needs no job file and no staging directory.
///
///     <root>/              0700
///       journal/           what has to be undone when a restore dies, one file each
///       unfinished/        the rooms of commands at work, one file each
///       drills/            what was proven, see DrillStore
///
/// The first lines are those of a staging area, so it is one, without sets. What is fetched is elsewhere: see FetchRoom.
public struct RestoreArea: Sendable {
    let area: StagingArea

    public var root: FilePath { area.root }

    /// `/var/lib/muster/restore` for root, otherwise below the user's own state directory.
    public static func usualRoot() -> FilePath {
        if let state = variable("STATE_DIRECTORY") { return FilePath(state).appending("restore") }
        if UserAccount.currentIsRoot { return "/var/lib/muster/restore" }
        if let state = variable("XDG_STATE_HOME") { return FilePath(state).appending("muster/restore") }
        let home = variable("HOME") ?? UserAccount.current?.home ?? "/"
        return FilePath(home).appending(".local/state/muster/restore")
    }

    /// Absolute, as the XDG Base Directory Specification and systemd.exec(5) have it; others are ignored.
    private static func variable(_ name: String) -> String? {
        guard let value = getenv(name).map({ String(cString: $0) }), value.hasPrefix("/") else { return nil }
        // A unit may have several state directories: the first counts.
        return value.split(atASCII: ":").first.map { String($0) }
    }

    /// Makes what is missing, parents too.
    public static func open(_ root: FilePath = usualRoot()) async throws -> RestoreArea {
        try await onOwnThread { () throws(StagingError) in try makeParents(of: root) }
        let area = RestoreArea(area: try await StagingArea.open(root))
        try await StagingArea.requireControl(of: root)
        return area
    }

    /// Nil if there is none.
    public static func openExisting(_ root: FilePath = usualRoot()) async throws -> RestoreArea? {
        try await StagingArea.openExisting(root).map(RestoreArea.init)
    }

    private static func makeParents(of root: FilePath) throws(StagingError) {
        var missing: [FilePath] = []
        var parent = root.removingLastComponent()
        while (try? FileSystem.status(of: parent)) == nil, !parent.components.isEmpty {
            missing.append(parent)
            parent.removeLastComponent()
        }
        for path in missing.reversed() {
            do {
                try FileSystem.createDirectory(path)
            } catch {
                guard error != .fileExists else { continue }
                throw StagingError(
                    .unsuitableDirectory, "cannot create \(path) for restores: \(error)",
                    hint: "Name a directory that you may use: --state DIR.", underlying: error)
            }
        }
    }
}
