import Glibc

/// The name of this host as `gethostname(2)` gives it.
public func hostName() -> String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
        guard gethostname(buffer.baseAddress!, buffer.count) == 0 else { return "localhost" }
        buffer[buffer.count - 1] = 0
        return String(cString: buffer.baseAddress!)
    }
}

/// How many processors are online; at least 1.
public var processorCount: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }
