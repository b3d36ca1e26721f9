import Glibc

extension UserAccount {
    /// The users whom the list of groups names as members of one. Nil if they are too many to read.
    ///
    /// Those who have it as their first group need not be named there.
    static func members(ofGroup id: UInt32) -> [String]? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64 * 1024) { buffer in
            var entry = group()
            var found: UnsafeMutablePointer<group>?
            guard getgrgid_r(id, &entry, buffer.baseAddress, buffer.count, &found) != ERANGE else { return nil }
            guard found != nil, var member = entry.gr_mem else { return [] }
            var names: [String] = []
            while let name = member.pointee {
                names.append(String(cString: name))
                member += 1
            }
            return names
        }
    }
}
