import Glibc
import SystemPackage

extension OpenDirectory {
    /// Whether the user that this process acts as may read a file. True of what is no longer there: that is for the reader to find out.
    public func mayRead(_ path: FilePath) -> Bool {
        do {
            try at(path) { faccessat($0, $1, R_OK, AT_EACCESS | AT_SYMLINK_NOFOLLOW) }
            return true
        } catch {
            return error != .permissionDenied
        }
    }
}
