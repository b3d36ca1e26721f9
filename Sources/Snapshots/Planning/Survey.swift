import DumpCore
import Linux
import SystemPackage

/// What is to be known of a path before a snapshot of its volume can be planned.
struct Survey: Sendable {
    /// All symbolic links followed.
    var path: FilePath
    /// What the path is on.
    var mount: MountTable.Mount
    /// What is mounted below it, and holds files of users.
    var mountsBelow: [MountTable.Mount]
}

extension Survey {
    /// - Parameter runtime: mounts in it are our own snapshots.
    init(of path: FilePath, runtime: FilePath) throws(DumpError) {
        do throws(Errno) {
            (self.path, mount) = try MountTable.place(of: path)
            mountsBelow = try Self.mounts(below: self.path, runtime: runtime)
        } catch {
            throw DumpError(
                .sourceUnavailable, "cannot look at \(path): \(error)",
                hint: "Check the path, and that its file system is mounted.", underlying: error)
        }
    }

    /// This, with what is mounted below the path by now.
    func again(runtime: FilePath) throws(DumpError) -> Survey {
        do throws(Errno) {
            var later = self
            later.mountsBelow = try Self.mounts(below: path, runtime: runtime)
            return later
        } catch {
            throw DumpError(.system, "cannot read /proc/self/mountinfo: \(error)", underlying: error)
        }
    }

    private static func mounts(below path: FilePath, runtime: FilePath) throws(Errno) -> [MountTable.Mount] {
        try MountTable.current().mounts(below: path).filter { !$0.isOfKernel && !$0.point.starts(with: runtime) }
    }

    var pointsBelow: Set<FilePath> { Set(mountsBelow.map(\.point)) }

    /// The path, relative to `point`, at or above it.
    func path(below point: FilePath) -> FilePath { path.relative(to: point) }

    /// The path in the file system that it is on: a part of one may be mounted.
    var pathInFileSystem: FilePath { FilePath(mount.root).relative(to: "/").pushing(path(below: mount.point)) }
}

/// What is below a dump's path, on a volume without a snapshot.
struct OmittedVolume {
    /// Such as `the subvolume`.
    var what: String
    var point: FilePath
    /// Whether `nested: include` would have taken it.
    var isIncludable: Bool
}

extension SnapshotSettings.Nested {
    /// A warning or failure about a part of the tree that no snapshot will hold.
    func finding(_ volume: OmittedVolume) -> Finding {
        let message = "\(volume.what) at \(volume.point) is not in the snapshot"
        guard self != .omit else {
            return Finding(.warning, "volume_omitted", object: volume.point.string, message)
        }
        let hint =
            volume.isIncludable
            ? "Write nested: include to take one of it too, or nested: omit if the dump need not hold it."
            : "Make it a dump of its own, and write nested: omit."
        return Finding(.failure, "volume_not_in_snapshot", object: volume.point.string, message, hint: hint)
    }
}

extension MountTable.Mount {
    /// What the kernel makes up, or keeps in memory only.
    fileprivate var isOfKernel: Bool {
        [
            "autofs", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "debugfs", "devpts", "devtmpfs",
            "efivarfs",
            "fusectl", "hugetlbfs", "mqueue", "nsfs", "proc", "pstore", "ramfs", "rpc_pipefs", "securityfs",
            "selinuxfs", "sysfs", "tmpfs", "tracefs",
        ].contains(fileSystem)
    }
}

extension FilePath {
    /// The rest of this, which is at or below `ancestor`.
    public func relative(to ancestor: FilePath) -> FilePath {
        var rest = self
        _ = rest.removePrefix(ancestor)
        rest.root = nil
        return rest
    }
}
