import Glibc

/// A group of this system, from the group database.
public struct UserGroup: Sendable, Hashable {
    public var name: String
    public var gid: UInt32

    /// The group with this number, or nil if it has no name.
    public init?(id: UInt32) {
        // A group may have any number of members.
        let found = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256 * 1024) { buffer -> String? in
            var entry = group()
            var found: UnsafeMutablePointer<group>?
            guard getgrgid_r(id, &entry, buffer.baseAddress!, buffer.count, &found) == 0, found != nil else {
                return nil
            }
            return String(cString: entry.gr_name)
        }
        guard let found else { return nil }
        (name, gid) = (found, id)
    }
}
