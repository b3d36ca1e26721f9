import CLinux
import Glibc
import SystemPackage

/// A named value beside a file's contents, see xattr(7). Access control lists are such attributes too.
public struct ExtendedAttribute: Sendable, Hashable {
    /// With its name space, such as `user.comment` or `system.posix_acl_access`.
    public var name: String
    public var value: [UInt8]

    public init(name: String, value: [UInt8]) {
        self.name = name
        self.value = value
    }

    /// What is kept of a file: the operator's attributes, those that only root sees, capabilities and labels, and access control lists.
    /// All else is made up by a file system about itself.
    private static let spaces = ["user.", "trusted.", "security.", "system.posix_acl_"]

    /// Of an open file or directory. Sorted by name.
    public static func all(of file: FileDescriptor) throws(Errno) -> [ExtendedAttribute] {
        try read {
            flistxattr(file.rawValue, $0, $1)
        } value: {
            fgetxattr(file.rawValue, $0, $1, $2)
        }
    }

    public func set(on file: FileDescriptor) throws(Errno) {
        try FileSystem.call { value.withUnsafeBytes { fsetxattr(file.rawValue, name, $0.baseAddress, $0.count, 0) } }
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
            let name = String(decoding: part, as: UTF8.self)
            // It could not be asked for by that name, and would be lost.
            guard name.utf8.elementsEqual(part) else { throw Errno.illegalByteSequence }
            guard spaces.contains(where: name.hasPrefix) else { continue }
            do {
                attributes.append(ExtendedAttribute(name: name, value: try bytes { value(name, $0, $1) }))
            } catch Errno.noData {
                // Removed since it was listed.
                continue
            }
        }
        return attributes.sorted { $0.name < $1.name }
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
