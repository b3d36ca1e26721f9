import Glibc

/// What the file system says of one file.
public struct FileStatus: Sendable, Hashable {
    public enum Kind: Sendable { case file, directory, symbolicLink, fifo, socket, characterDevice, blockDevice }

    public var kind: Kind
    public var bytes: Int64
    /// What it takes on disk: less than `bytes` where it has holes.
    public var allocatedBytes: Int64
    public var device: UInt64
    public var inode: UInt64
    /// Permission bits, without the kind.
    public var mode: UInt32
    public var uid: UInt32
    public var gid: UInt32
    public var links: UInt64
    /// Last change of contents, nanoseconds since 1970.
    public var modified: Int64
    /// Last change of anything: contents, owner, mode, attributes, names. No program can set it.
    public var changed: Int64
    /// Which device a device file stands for.
    public var node: UInt64

    public init(_ facts: stat) {
        switch facts.st_mode & S_IFMT {
        case S_IFREG: kind = .file
        case S_IFDIR: kind = .directory
        case S_IFLNK: kind = .symbolicLink
        case S_IFIFO: kind = .fifo
        case S_IFCHR: kind = .characterDevice
        case S_IFBLK: kind = .blockDevice
        default: kind = .socket
        }
        bytes = Int64(facts.st_size)
        allocatedBytes = Int64(facts.st_blocks) * 512
        device = UInt64(facts.st_dev)
        inode = UInt64(facts.st_ino)
        mode = facts.st_mode & 0o7777
        uid = facts.st_uid
        gid = facts.st_gid
        links = UInt64(facts.st_nlink)
        modified = facts.st_mtim.nanoseconds
        changed = facts.st_ctim.nanoseconds
        node = UInt64(facts.st_rdev)
    }

    /// The times that fit, from 1677 to 2262, in nanoseconds since 1970. What is beyond them counts as the nearest.
    public static let times: ClosedRange<Int64> = -9_223_372_036_000_000_000...9_223_372_036_000_000_000
}

extension timespec {
    private static let second: Int64 = 1_000_000_000

    fileprivate var nanoseconds: Int64 {
        let times = FileStatus.times
        guard tv_sec < times.upperBound / Self.second else { return times.upperBound }
        guard tv_sec >= times.lowerBound / Self.second else { return times.lowerBound }
        return Int64(tv_sec) * Self.second + Int64(tv_nsec)
    }

    /// Before 1970 the nanoseconds count forward too.
    init(nanoseconds time: Int64) {
        let (seconds, rest) = time.quotientAndRemainder(dividingBy: Self.second)
        self.init(tv_sec: Int(rest < 0 ? seconds - 1 : seconds), tv_nsec: Int(rest < 0 ? rest + Self.second : rest))
    }
}
