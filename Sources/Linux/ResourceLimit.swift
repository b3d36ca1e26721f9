import Glibc

/// One limit of this process, such as on files that are open at once: `getrlimit(2)`. Programs that we start inherit it.
public struct ResourceLimit: Sendable {
    private let resource: __rlimit_resource_t

    /// Sockets included.
    public static let openFiles = ResourceLimit(RLIMIT_NOFILE)
    /// In bytes.
    public static let coreFiles = ResourceLimit(RLIMIT_CORE)
    public static let addressSpace = ResourceLimit(RLIMIT_AS)
    public static let data = ResourceLimit(RLIMIT_DATA)

    private init(_ resource: __rlimit_resource) { self.resource = __rlimit_resource_t(resource.rawValue) }

    /// What counts now, the soft limit; `Int.max` for none.
    public var value: Int { Int(clamping: both.rlim_cur) }

    /// Raises it as far as we may.
    public func raise() { change { $0.rlim_cur = $0.rlim_max } }

    /// Lowers it to nothing.
    public func forbid() { change { $0.rlim_cur = 0 } }

    var both: rlimit {
        var limit = rlimit()
        // Fails for no resource that exists.
        getrlimit(resource, &limit)
        return limit
    }

    func set(_ limit: rlimit) {
        var limit = limit
        // Up to the hard limit, which is never changed, this is always allowed.
        setrlimit(resource, &limit)
    }

    private func change(_ body: (inout rlimit) -> Void) {
        var limit = both
        body(&limit)
        set(limit)
    }
}
