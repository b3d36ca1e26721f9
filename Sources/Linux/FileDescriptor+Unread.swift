import CLinux
import SystemPackage

extension FileDescriptor {
    /// How many bytes of a pipe no reader has read, asked of either end. They count also once no reader is left.
    public func unreadBytes() throws(Errno) -> Int {
        let count = clinux_unread_bytes(rawValue)
        try check(count)
        return Int(count)
    }
}
