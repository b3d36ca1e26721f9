import Glibc

/// Limits under which a run could not even fail in good order: parts of Swift's runtime end the process where a file or memory is refused to them.
enum StartingLimits {
    /// What is too little, for the operator. Nil if there is enough to begin with.
    static var shortage: String? {
        let files = limit(RLIMIT_NOFILE)
        if files < 64 {
            return "may have only \(files) files open, and needs 64: raise 'ulimit -n', or LimitNOFILE= of the unit"
        }
        for (resource, needed, option) in [(RLIMIT_AS, 256, "-v"), (RLIMIT_DATA, 64, "-d")] {
            let mebibytes = limit(resource) >> 20
            guard mebibytes < needed else { continue }
            return "may use only \(mebibytes) MiB of memory, and needs \(needed): raise 'ulimit \(option)'"
        }
        return nil
    }

    private static func limit(_ resource: __rlimit_resource) -> UInt {
        var limit = rlimit()
        // Fails for no resource that exists.
        getrlimit(__rlimit_resource_t(resource.rawValue), &limit)
        return UInt(limit.rlim_cur)
    }
}
