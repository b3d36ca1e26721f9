import Glibc
import SystemPackage

/// What is mounted where, as this process sees it: `/proc/self/mountinfo`, see proc(5).
public struct MountTable: Sendable {
    /// In the order in which they were mounted.
    public var mountPoints: [MountPoint]

    public static func current() throws -> MountTable {
        let file = try FileDescriptor.open("/proc/self/mountinfo", .readOnly, options: .closeOnExec)
        return try file.closeAfter {
            var bytes: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 64 * 1024)
            while case let count = try buffer.withUnsafeMutableBytes({ try file.read(into: $0) }), count > 0 {
                bytes += buffer[..<count]
            }
            return MountTable(bytes)
        }
    }

    init(_ bytes: [UInt8]) {
        mountPoints = bytes.split(separator: UInt8(ascii: "\n")).compactMap { MountPoint($0) }
    }

    /// The mount that holds a path, which must be free of links: of several at one place the last, which hides the others.
    public func mountPoint(of path: FilePath) throws(Errno) -> MountPoint {
        let above = mountPoints.filter { path.starts(with: $0.path) }
        guard let longest = above.map({ $0.path.length }).max(),
            let found = above.last(where: { $0.path.length == longest })
        else { throw Errno.noSuchFileOrDirectory }
        return found
    }

    /// What is mounted below a path, the path itself not included.
    public func mountPoints(below path: FilePath) -> [MountPoint] {
        mountPoints.filter { $0.path != path && $0.path.starts(with: path) }
    }
}

public struct MountPoint: Sendable, Hashable {
    public var path: FilePath
    /// Of its file system, such as `ext4`.
    public var kind: String
    /// What is mounted, such as `/dev/sda1`.
    public var source: String
    /// Which directory of the file system is mounted, such as `/` or a subvolume.
    public var root: FilePath

    /// `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue`
    fileprivate init?(_ line: ArraySlice<UInt8>) {
        let fields = line.split(separator: UInt8(ascii: " ")).map { unescaped($0) }
        guard fields.count > 6, let dash = fields[6...].firstIndex(of: "-"), fields.count > dash + 2 else { return nil }
        root = FilePath(fields[3])
        path = FilePath(fields[4])
        kind = fields[dash + 1]
        source = fields[dash + 2]
    }
}

/// Blanks, tabs, newlines and backslashes are written as `\040` and so on.
private func unescaped(_ field: ArraySlice<UInt8>) -> String {
    var bytes: [UInt8] = []
    var rest = field
    while let byte = rest.popFirst() {
        if byte == UInt8(ascii: "\\"), let value = UInt8(String(decoding: rest.prefix(3), as: UTF8.self), radix: 8) {
            bytes.append(value)
            rest = rest.dropFirst(3)
        } else {
            bytes.append(byte)
        }
    }
    return String(decoding: bytes, as: UTF8.self)
}
