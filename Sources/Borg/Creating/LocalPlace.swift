import Glibc
import Linux
import SystemPackage

/// What is at a repository's location on this host, as far as Borg does not say it.
struct LocalPlace: Sendable {
    enum Content {
        case nothing
        case emptyDirectory
        /// What `borg init` begins with, and no data: its creation was cut off.
        case unfinishedRepository
        case other
    }

    let path: FilePath

    var content: Content {
        // What cannot be looked at is not known to be empty.
        guard let names = try? FileSystem.names(in: path) else {
            return access(path.string, F_OK) == 0 || errno != ENOENT ? .other : .nothing
        }
        if names.isEmpty { return .emptyDirectory }
        let isBegin = names.allSatisfy { Self.firstNames.contains($0.string) }
        return isBegin && hasNoData(names) ? .unfinishedRepository : .other
    }

    /// False if it cannot be seen.
    private func hasNoData(_ names: [FilePath.Component]) -> Bool {
        guard names.contains("data") else { return true }
        guard let entries = try? FileTree(path.appending("data")).entries() else { return false }
        return entries.allSatisfy { $0.status.kind == .directory || $0.status.bytes == 0 }
    }

    /// The mount point above that is in fstab(5) and has nothing mounted: what is there then is not what was meant.
    var unmountedPoint: FilePath? {
        // A host without the file has no such disks, and without the table there is nothing to compare.
        guard let mounts = try? MountTable.current(), let lines = try? MountTable.configured() else { return nil }
        return mounts.missing(of: lines, above: path)
    }

    private static let firstNames: Set<String> = ["README", "config", "data", "lock.roster", "lock.exclusive", "nonce"]

    /// Why nothing can be made in the directory above: `ENOENT`, `EACCES` and the like. Nil if it can.
    var parentObstacle: Int32? { obstacle(toWritingTo: path.removingLastComponent()) }
}

/// Nil if this process may make files in `directory`. Even root may not on a read-only file system.
func obstacle(toWritingTo directory: FilePath) -> Int32? {
    directory.withPlatformString { faccessat(AT_FDCWD, $0, W_OK | X_OK, AT_EACCESS) } == 0 ? nil : errno
}

extension BorgDirectories {
    /// Less than that, and Borg cannot even note that it has seen a repository.
    private static let leastRoom: Int64 = 64 * 1024

    /// The first directory that Borg could not make its files in, and why.
    var obstacle: (path: FilePath, number: Int32)? {
        for directory in all {
            var place = directory
            while access(place.string, F_OK) != 0, errno == ENOENT, place.removeLastComponent() {}
            if let number = Borg.obstacle(toWritingTo: place) { return (directory, number) }
            if let room = try? FileSystem.availableBytes(at: place), room < Self.leastRoom {
                return (directory, ENOSPC)
            }
        }
        return nil
    }
}
