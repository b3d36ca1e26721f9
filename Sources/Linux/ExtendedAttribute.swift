import CLinux
import Glibc
import SystemPackage

/// A named value beside a file's contents, see xattr(7). Access control lists are such attributes too.
public struct ExtendedAttribute: Sendable, Hashable {
    /// With its name space, such as `user.comment` or `system.posix_acl_access`. As bytes: it need not be UTF-8.
    public var name: [UInt8]
    public var value: [UInt8]

    public init(name: [UInt8], value: [UInt8]) {
        self.name = name
        self.value = value
    }

    public init(name: String, value: [UInt8]) { self.init(name: Array(name.utf8), value: value) }

    /// The name as text, for people.
    public var title: String { String(decoding: name, as: UTF8.self) }

    /// As system calls take it.
    var nameWithNUL: [CChar] { name.map { CChar(bitPattern: $0) } + [0] }

    /// What is kept of a file: the operator's attributes, those that only root sees, capabilities and labels, and access control lists.
    /// All else is made up by a file system about itself.
    private static let spaces = ["user.", "trusted.", "security.", "system.posix_acl_"].map { Array($0.utf8) }

    /// The attributes of an open file or directory, sorted by name.
    public static func all(of file: FileDescriptor) throws(Errno) -> [ExtendedAttribute] {
        try read {
            flistxattr(file.rawValue, $0, $1)
        } value: {
            fgetxattr(file.rawValue, $0, $1, $2)
        }
    }

    public func set(on file: FileDescriptor) throws(Errno) {
        try FileSystem.call {
            value.withUnsafeBytes { fsetxattr(file.rawValue, nameWithNUL, $0.baseAddress, $0.count, 0) }
        }
    }

    static func read(
        list: (UnsafeMutablePointer<CChar>?, Int) -> Int,
        value: (UnsafePointer<CChar>, UnsafeMutableRawPointer?, Int) -> Int
    ) throws(Errno) -> [ExtendedAttribute] {
        let names: [UInt8]
        do {
            // Nearly all files have none, and that takes one call.
            names = try bytes { list($0?.assumingMemoryBound(to: CChar.self), $1) }
        } catch Errno.notSupported {
            return []
        }
        var attributes: [ExtendedAttribute] = []
        for part in names.split(separator: 0) {
            guard spaces.contains(where: part.starts) else { continue }
            var attribute = ExtendedAttribute(name: Array(part), value: [])
            let name = attribute.nameWithNUL
            do {
                attribute.value = try bytes { value(name, $0, $1) }
                attributes.append(attribute)
            } catch Errno.noData {
                // Removed since it was listed.
                continue
            }
        }
        return attributes.sorted { $0.name.lexicographicallyPrecedes($1.name) }
    }

    /// Asks for the size and then for the bytes, and again when they have become more meanwhile.
    private static func bytes(_ call: (UnsafeMutableRawPointer?, Int) -> Int) throws(Errno) -> [UInt8] {
        while true {
            let size = call(nil, 0)
            guard size >= 0 else { throw Errno(rawValue: errno) }
            guard size > 0 else { return [] }
            var bytes = [UInt8](repeating: 0, count: size)
            let count = bytes.withUnsafeMutableBytes { call($0.baseAddress, size) }
            if count >= 0 { return Array(bytes.prefix(count)) }
            guard errno == ERANGE else { throw Errno(rawValue: errno) }
        }
    }
}
