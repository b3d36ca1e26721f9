import DumpCore
import Glibc
import SystemPackage

/// The mounts that this process sees, as `/proc/self/mountinfo` had them at one moment: proc_pid_mountinfo(5).
public struct MountTable: Sendable {
    /// In the order in which they were mounted.
    public var mounts: [Mount]

    public struct Mount: Sendable, Hashable {
        public var id: Int
        /// The device number of its files, `major:minor`. Btrfs has one for each subvolume, and this is not one of those.
        public var device: String
        /// The directory of the file system that is seen at `point`; `/` unless a part of it was mounted. Deleted
        /// since, it ends in `//deleted`.
        public var root: String
        public var point: FilePath
        /// Such as `ext4`.
        public var fileSystem: String
        /// What was mounted, in the words of the file system: a device, a dataset.
        public var source: String

        public init(
            id: Int, device: String, root: String, point: FilePath, fileSystem: String, source: String
        ) {
            self.id = id
            self.device = device
            self.root = root
            self.point = point
            self.fileSystem = fileSystem
            self.source = source
        }
    }

    public init(mounts: [Mount]) { self.mounts = mounts }

    /// The mounts of now.
    public static func current() throws(Errno) -> MountTable {
        MountTable(parsing: try FileSystem.bytes(of: "/proc/self/mountinfo"))
    }

    /// By bytes, as the names of mount points hold any but NUL and `/`.
    init(parsing text: [UInt8]) {
        mounts = text.split(separator: UInt8(ascii: "\n")).compactMap { Mount(line: $0) }
    }

    /// What is seen at `point`: of several mounts at one place, the last. Nil if nothing is mounted there.
    public func mount(at point: FilePath) -> Mount? { mounts.last { $0.point == point } }

    /// The mounts that begin somewhere below `directory`, but not there.
    public func mounts(below directory: FilePath) -> [Mount] {
        mounts.filter { $0.point != directory && $0.point.starts(with: directory) }
    }

    /// Where `path` leads to, all symbolic links followed, and the mount that it is on, however many hide each other
    /// there. Throws `Errno.notPermitted` for a user's link to what is not that user's.
    public static func place(of path: FilePath) throws(Errno) -> (path: FilePath, mount: Mount) {
        try path.withWay { file throws(Errno) in try place(of: file.rawValue) }
    }

    private static func place(of descriptor: Int32) throws(Errno) -> (path: FilePath, mount: Mount) {
        let facts = String(
            decoding: try FileSystem.bytes(of: FilePath("/proc/self/fdinfo/\(descriptor)")), as: UTF8.self)
        let id = facts.split(atASCII: "\n").first { $0.hasPrefix("mnt_id:") }
            .flatMap { Int($0.dropFirst(7).filter(\.isNumber)) }
        guard let id, let mount = try current().mounts.first(where: { $0.id == id }) else {
            throw Errno.noSuchFileOrDirectory
        }
        return (try target(of: FilePath("/proc/self/fd/\(descriptor)")), mount)
    }

    private static func target(of link: FilePath) throws(Errno) -> FilePath {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        guard link.withPlatformString({ readlink($0, &buffer, buffer.count - 1) }) > 0 else {
            throw Errno(rawValue: errno)
        }
        return FilePath(platformString: buffer)
    }
}

extension MountTable.Mount {
    /// Whether systemd has mounted it in front of what the host has there (`namespace.c`). With `InaccessiblePaths=` and `ProtectHome=`
    /// that is an empty directory of systemd's own. With `PrivateTmp=` it is a new directory, and with `ProtectHome=tmpfs` an empty file
    /// system.
    public var isPutByUnit: Bool {
        root.hasPrefix("/systemd/inaccessible/") || root.contains("/systemd-private-")
            || fileSystem == "tmpfs" && source == "tmpfs" && ["/home", "/root", "/run/user"].contains(point)
                && getenv("INVOCATION_ID") != nil
    }

    /// `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw`; a few characters are escaped in octal.
    init?(line: ArraySlice<UInt8>) {
        let fields = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
            .map(\.withoutOctalEscapes)
        let texts = fields.map { String(decoding: $0, as: UTF8.self) }
        guard let dash = texts.firstIndex(of: "-"), dash >= 6, dash + 2 < texts.count, let id = Int(texts[0]),
            let point = FilePath(bytes: fields[4])
        else { return nil }
        self.init(
            id: id, device: texts[2], root: texts[3], point: point, fileSystem: texts[dash + 1],
            source: texts[dash + 2])
    }
}

extension ArraySlice<UInt8> {
    /// With `\040` and its like as what they stand for.
    var withoutOctalEscapes: [UInt8] {
        var bytes: [UInt8] = []
        var rest = self
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\\"), let code = UInt8(String(decoding: rest.prefix(3), as: UTF8.self), radix: 8) {
                bytes.append(code)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return bytes
    }
}
