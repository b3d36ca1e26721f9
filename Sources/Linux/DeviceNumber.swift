import CLinux
import Glibc

extension UInt64 {
    /// The major number of a device number in the form of `st_rdev`.
    public var major: UInt32 { clinux_major(dev_t(self)) }
    public var minor: UInt32 { clinux_minor(dev_t(self)) }
}

/// The device number of which these are the parts.
public func makeDevice(_ major: UInt32, _ minor: UInt32) -> UInt64 { UInt64(clinux_device(major, minor)) }
