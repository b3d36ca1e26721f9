import CLinux
import Glibc
import SystemPackage

/// A wish that a program end, from any thread to the one that watches over it.
final class ProgramStop: Sendable {
    /// Can be read once the wish is there.
    let descriptor: Int32

    init() throws(Errno) {
        descriptor = clinux_event()
        guard descriptor >= 0 else { throw Errno(rawValue: -descriptor) }
    }

    deinit { close(descriptor) }

    func send() {
        var one: UInt64 = 1
        // Fails only where more wishes are there than can be counted.
        _ = write(descriptor, &one, MemoryLayout<UInt64>.size)
    }
}
