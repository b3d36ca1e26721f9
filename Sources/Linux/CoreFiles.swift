import CLinux
import Glibc

/// The files that the kernel leaves of a process that crashes: a copy of its memory, with every secret in it.
public enum CoreFiles {
    /// None of this process, however it ends, and none of the programs that inherit the limit.
    public static func forbid() {
        var limit = limit
        limit.rlim_cur = 0
        set(limit)
        clinux_forbid_looking_inside()
    }

    static var limit: rlimit {
        var limit = rlimit()
        // Fails for no resource that exists.
        getrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit)
        return limit
    }

    static func set(_ limit: rlimit) {
        var limit = limit
        // Only the soft one was changed, which may go back.
        setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit)
    }
}
