import Glibc

/// How many files this process may have open at once, sockets included: `getrlimit(2)`, `RLIMIT_NOFILE`.
public enum OpenFileLimit {
    /// Raises it as far as we may, usually from 1,024: a session in each of a thousand databases needs more.
    /// Programs that we start inherit it.
    public static func raise() {
        var limit = current
        guard limit.rlim_cur < limit.rlim_max else { return }
        limit.rlim_cur = limit.rlim_max
        set(limit)
    }

    /// Of files open at once; `Int.max` for no limit.
    public static var files: Int { Int(clamping: current.rlim_cur) }

    static var current: rlimit {
        var limit = rlimit()
        // Fails for no resource that exists.
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return limit
    }

    static func set(_ limit: rlimit) {
        var limit = limit
        // Between the soft and the hard limit that we were given, this is always allowed.
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
