import DumpCore
import Linux
import SystemPackage

/// A Btrfs file system that is mounted somewhere, opened at its top.
struct BtrfsFileSystem {
    /// One of its devices.
    var device: String
    var top: OpenDirectory

    /// The one that a snapshot is on, or is to lie on.
    init(of snapshot: SubvolumeSnapshot) throws(DumpError) {
        let mount: MountTable.Mount?
        do throws(Errno) {
            mount = try Self.mount(of: snapshot)
        } catch {
            throw DumpError(.system, "cannot read /proc/self/mountinfo: \(error)", underlying: error)
        }
        guard let mount else {
            throw DumpError(
                .sourceUnavailable,
                "the file system of \(snapshot.source), which had the snapshot \(snapshot.entry), is not mounted",
                hint: "Mount it, and run 'muster undo'.", context: ["uuid": snapshot.fileSystemID ?? snapshot.sourceID])
        }
        try self.init(on: mount)
    }

    init(on mount: MountTable.Mount) throws(DumpError) {
        device = mount.source
        do throws(Errno) {
            top = try OpenDirectory(topOfBtrfsOn: mount.source)
        } catch {
            throw DumpError(
                .system, "cannot open the top of the Btrfs on \(mount.source), mounted at \(mount.point): \(error)",
                hint: "A snapshot needs root, the device itself and Linux 5.7. In a container, run Muster on the host.",
                underlying: error)
        }
    }

    /// The UUID of what is mounted.
    var id: String {
        get throws(DumpError) {
            do throws(Errno) {
                return try top.btrfsID()
            } catch {
                throw DumpError(
                    .system, "cannot ask for the UUID of the Btrfs on \(device): \(error)", underlying: error)
            }
        }
    }

    /// Nil if none shows it. What cannot be asked, such as another user's mount, is not it.
    private static func mount(of snapshot: SubvolumeSnapshot) throws(Errno) -> MountTable.Mount? {
        try MountTable.current().mounts.last { mount in
            guard mount.fileSystem == "btrfs", let directory = try? OpenDirectory(mount.point) else { return false }
            guard let id = snapshot.fileSystemID else { return snapshot.source.starts(with: mount.point) }
            return (try? directory.btrfsID()) == id
        }
    }

    /// Removes a directory at the top, which is empty. Nothing there is fine. False if it is something else.
    func removeDirectory(_ name: FilePath.Component) throws(Errno) -> Bool {
        do throws(Errno) {
            try top.remove(FilePath(root: nil, [name]), isDirectory: true)
            return true
        } catch .noSuchFileOrDirectory {
            return true
        } catch .notDirectory {
            return false
        } catch .directoryNotEmpty {
            return false
        }
    }
}
