import CLinux
import Glibc
import SystemPackage

/// A pipe that programs do not inherit by accident: pipe2(2) with `O_CLOEXEC`.
///
/// - Parameter isWide: makes it as large as any user may have it, for fewer turns between writer and reader. The usual size does too.
public func makePipe(isWide: Bool = false) throws(Errno) -> (read: FileDescriptor, write: FileDescriptor) {
    var ends: [Int32] = [-1, -1]
    try check(clinux_pipe(&ends))
    if isWide { _ = fcntl(ends[0], fSetPipeSize, 1 << 20) }
    return (FileDescriptor(rawValue: ends[0]), FileDescriptor(rawValue: ends[1]))
}

/// `F_SETPIPE_SZ`, which Glibc does not show to Swift.
private let fSetPipeSize: Int32 = 1031
