import CLinux
import SystemPackage

/// A pipe that no program of ours inherits by accident: pipe2(2) with `O_CLOEXEC`.
public func makePipe() throws(Errno) -> (read: FileDescriptor, write: FileDescriptor) {
    var ends: [Int32] = [-1, -1]
    try check(clinux_pipe(&ends))
    return (FileDescriptor(rawValue: ends[0]), FileDescriptor(rawValue: ends[1]))
}
