import CLinux
import Glibc
import SystemPackage

/// A POSIX access control list: acl(5), as the kernel keeps it in `system.posix_acl_access`.
///
/// Where there is one, the bits of the group in the mode are its mask, and say nothing of the group itself.
struct AccessList: Sendable {
    /// Who may write, the owner and all others left out.
    private(set) var writers: [LoosePart.Holder] = []

    /// Nil if there is none.
    ///
    /// - Parameter group: whose the file is.
    init?(of path: FilePath, group: UInt32) throws(Errno) {
        try self.init(group: group) { buffer in
            path.withPlatformString { lgetxattr($0, Self.name, buffer.baseAddress, buffer.count) }
        }
    }

    init?(of file: FileDescriptor, group: UInt32) throws(Errno) {
        try self.init(group: group) { fgetxattr(file.rawValue, Self.name, $0.baseAddress, $0.count) }
    }

    private static let name = "system.posix_acl_access"

    private init?(group: UInt32, reading: (UnsafeMutableRawBufferPointer) -> Int) throws(Errno) {
        // The largest value that the kernel keeps as an attribute.
        var bytes = [UInt8](repeating: 0, count: 64 << 10)
        let count = bytes.withUnsafeMutableBytes { reading($0) }
        guard count >= 0 else {
            guard errno == ENODATA || errno == EOPNOTSUPP else { throw Errno(rawValue: errno) }
            return nil
        }
        guard let entries = Entry.all(in: bytes[..<count]) else { throw .invalidArgument }
        let mask = entries.first { $0.tag == .mask }.map(\.mayWrite) ?? true
        guard mask else { return }
        writers = entries.filter(\.mayWrite).compactMap { entry in
            switch entry.tag {
            case .user: .user(entry.id)
            case .group: .group(entry.id)
            case .owningGroup: .group(group)
            case .owner, .mask, .other: nil
            }
        }
    }

    private struct Entry {
        enum Tag: UInt32 {
            case owner = 1
            case user = 2
            case owningGroup = 4
            case group = 8
            case mask = 16
            case other = 32
        }

        var tag: Tag
        var mayWrite: Bool
        var id: UInt32

        private static let version: UInt32 = 2

        /// Nil for what is not a list of version 2: a version of four bytes, then eight bytes an entry, all little-endian.
        static func all(in bytes: ArraySlice<UInt8>) -> [Entry]? {
            guard bytes.count >= 4, bytes.count % 8 == 4, number(bytes.prefix(4)) == version else { return nil }
            var entries: [Entry] = []
            for start in stride(from: bytes.startIndex + 4, to: bytes.endIndex, by: 8) {
                guard let tag = Tag(rawValue: number(bytes[start..<(start + 2)])) else { return nil }
                entries.append(
                    Entry(
                        tag: tag, mayWrite: number(bytes[(start + 2)..<(start + 4)]) & 2 != 0,
                        id: number(bytes[(start + 4)..<(start + 8)])))
            }
            return entries
        }

        private static func number(_ bytes: ArraySlice<UInt8>) -> UInt32 {
            bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) }
        }
    }
}
