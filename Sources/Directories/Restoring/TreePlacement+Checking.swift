import DumpCore
import Glibc
import Linux
import SystemPackage

/// What keeps a placement from being made. Looks only.
extension TreePlacement {
    var findings: [Finding] {
        guard target.lastComponent?.kind == .regular else {
            return [
                fault(
                    code: "target", "\(target) cannot be replaced",
                    "Name another path, or restore its directories one by one.")
            ]
        }
        // The undo record is text.
        guard FilePath(target.string) == target else {
            return [
                fault(code: "target", "\(target) is not UTF-8", "Restore to a path that is, and rename it by hand.")
            ]
        }
        let parent = target.removingLastComponent()
        do throws(Errno) {
            let above = try OpenDirectory(following: parent)
            return nameFindings(above, parent) + rightFindings(parent) + keptFindings(above)
        } catch {
            let why = error == .notPermitted ? "a link on the way belongs to another user" : "\(error)"
            return [
                fault(
                    code: "no_parent", "cannot restore to \(parent): \(why)",
                    "Make that directory first, or name another target.")
            ]
        }
    }

    private func nameFindings(_ above: OpenDirectory, _ parent: FilePath) -> [Finding] {
        let name = FilePath(root: nil, target.components.suffix(1))
        guard let there = try? above.status(of: name) else { return [] }
        guard kept != nil else {
            return [
                fault(
                    code: "occupied", "there is something at \(target) already", "Name another target, or move it away."
                )
            ]
        }
        if there.kind == .symbolicLink {
            return [
                fault(
                    code: "target", "\(target) is a symbolic link",
                    "Restore to what it leads to, with another name for the target.")
            ]
        }
        return mountFindings(there, (try? above.status(of: FilePath()))?.device)
    }

    /// A mount stays where it is when the names below it are exchanged.
    private func mountFindings(_ there: FileStatus, _ parentDevice: UInt64?) -> [Finding] {
        guard let table = try? MountTable.current(), let (path, mount) = try? MountTable.place(of: target) else {
            return [
                fault(
                    code: "mounts_unknown", "cannot find out what is mounted at \(target)",
                    "Check /proc/self/mountinfo.")
            ]
        }
        if mount.point == path {
            return [
                fault(
                    code: "mount_point", "\(target) is a mount point, which cannot be exchanged",
                    "Restore beside it, then move its contents; or unmount it first.")
            ]
        }
        if there.device != parentDevice {
            return [
                fault(
                    code: "mount_point",
                    "\(target) is the root of another file system or subvolume, which cannot be exchanged",
                    "Restore beside it, then move its contents.")
            ]
        }
        if let inner = table.mounts(below: path).first {
            return [
                fault(
                    code: "mounted_below", "\(inner.point) is mounted in \(target)",
                    "Unmount it first, and mount it again afterwards.")
            ]
        }
        guard let other = table.mount(of: path, on: mount) else { return [] }
        return [
            fault(
                code: "in_use",
                "\(other.point) is a mount of \(target) or of what is in it, and would keep showing the old one",
                "Unmount it first, and mount it again afterwards.")
        ]
    }

    private func rightFindings(_ parent: FilePath) -> [Finding] {
        guard parent.withPlatformString({ faccessat(AT_FDCWD, $0, W_OK | X_OK, AT_EACCESS) }) != 0 else { return [] }
        return [
            fault(
                code: "access_denied", "this user cannot write to \(parent): \(Errno(rawValue: errno))",
                "Run Muster as root, or name another target.")
        ]
    }

    private func keptFindings(_ above: OpenDirectory) -> [Finding] {
        guard let kept, (try? above.status(of: FilePath(root: nil, kept.components.suffix(1)))) != nil else {
            return []
        }
        return [fault(code: "occupied", "there is something at \(kept) already", "Move it away.")]
    }

    fileprivate func fault(code: String, _ message: String, _ hint: String) -> Finding {
        Finding(.failure, code, object: target.string, message, hint: hint)
    }
}

extension MountTable {
    /// Another mount that shows the directory, or something in it.
    ///
    /// - Parameters:
    ///   - path: with all links followed.
    ///   - mount: that it is on.
    fileprivate func mount(of path: FilePath, on mount: Mount) -> Mount? {
        var rest = path
        _ = rest.removePrefix(mount.point)
        let root = FilePath(mount.root).pushing(FilePath(root: nil, rest.components))
        return mounts.first { $0.id != mount.id && $0.device == mount.device && FilePath($0.root).starts(with: root) }
    }
}

extension [TreePlacement] {
    /// One for each file system that has too little space.
    func spaceFindings(_ survey: InventorySurvey) -> [Finding] {
        var needed: [String: (bytes: Int64, free: Int64, placement: TreePlacement)] = [:]
        for placement in self {
            let parent = placement.target.removingLastComponent()
            guard let free = try? FileSystem.availableBytes(at: parent), let id = try? FileSystem.identity(at: parent)
            else { continue }
            let before = needed[id]?.bytes ?? 0
            needed[id] = (before.plus(survey.bytes(of: placement.item)), free, placement)
        }
        return needed.values.filter { $0.free < $0.bytes }.map { facts -> Finding in
            let place = facts.placement.target.removingLastComponent()
            return facts.placement.fault(
                code: "no_space",
                "no space in \(place): \(formatBytes(facts.bytes)) needed, \(formatBytes(facts.free)) free",
                "Restore to another file system, or fewer files.")
        }
    }
}
