import CLinux
import DumpCore
import Glibc
import SystemPackage

/// A user of this system, from the user database.
public struct UserAccount: Sendable, Hashable {
    public var name: String
    public var uid: UInt32
    public var gid: UInt32
    public var home: String

    /// The user called `name`, or nil if there is none.
    public init?(named name: String) {
        guard let found = Self.lookUp({ getpwnam_r(name, $0, $1, $2, $3) }) else { return nil }
        self = found
    }

    /// The user with this number, or nil if it has no name.
    public init?(id: UInt32) {
        guard let found = Self.lookUp({ getpwuid_r(id, $0, $1, $2, $3) }) else { return nil }
        self = found
    }

    /// The user that this process acts as, or nil if it has no name.
    public static var current: UserAccount? { UserAccount(id: geteuid()) }

    /// The number of that user.
    public static var currentID: UInt32 { geteuid() }

    /// Whether this process may act as any user.
    public static var currentIsRoot: Bool { geteuid() == 0 }

    /// Runs `work` with this user as the effective user of the calling thread alone, and changes back.
    ///
    /// For peer authentication, which asks the kernel who connected. Call it on a thread of its own, see `onOwnThread`: no other
    /// work may be scheduled on it meanwhile. Supplementary groups stay as they are.
    public func impersonateOnThisThread<Result: ~Copyable>(_ work: () -> Result) throws(Errno) -> Result {
        let (uid, gid) = (geteuid(), getegid())
        guard self.uid != uid else { return work() }
        try check(clinux_set_thread_effective_ids(self.uid, self.gid))
        let result = work()
        // Going on as the wrong user would put files of the wrong owner anywhere; there is nothing to fall back to.
        guard clinux_set_thread_effective_ids(uid, gid) == 0 else {
            fatalError("cannot change back to user \(uid)")
        }
        return result
    }

    private init(_ entry: passwd) {
        name = String(cString: entry.pw_name)
        uid = entry.pw_uid
        gid = entry.pw_gid
        home = String(cString: entry.pw_dir)
    }

    private static func lookUp(
        _ call: (
            UnsafeMutablePointer<passwd>, UnsafeMutablePointer<CChar>, Int,
            UnsafeMutablePointer<UnsafeMutablePointer<passwd>?>
        ) -> Int32
    ) -> UserAccount? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 16 * 1024) { buffer in
            var entry = passwd()
            var found: UnsafeMutablePointer<passwd>?
            guard call(&entry, buffer.baseAddress!, buffer.count, &found) == 0, found != nil else { return nil }
            return UserAccount(entry)
        }
    }
}

/// Turns a negated errno into a throw.
func check(_ result: Int32) throws(Errno) {
    if result < 0 { throw Errno(rawValue: -result) }
}
