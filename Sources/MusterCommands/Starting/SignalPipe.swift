import Glibc
import Linux
import SystemPackage

/// Signals, as bytes in a pipe.
///
/// By handlers and not by sigwait(3): that one needs the signals blocked in every thread, and a library may have one that blocks nothing.
struct SignalPipe {
    private let readEnd: Int32

    /// To be made once.
    init() throws(Errno) {
        let ends = try makePipe()
        // A handler must never wait.
        _ = fcntl(ends.write.rawValue, F_SETFL, O_NONBLOCK)
        (readEnd, writeEnd) = (ends.read.rawValue, ends.write.rawValue)
    }

    func catchSignal(_ signal: Int32) {
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { signal in
            // On whichever thread: only what signal-safety(7) allows.
            let saved = errno
            var byte = UInt8(truncatingIfNeeded: signal)
            write(writeEnd, &byte, 1)
            errno = saved
        }
        action.sa_flags = SA_RESTART
        sigaction(signal, &action, nil)
    }

    /// The next signal, or nil when none comes within so many milliseconds, -1 for ever.
    func next(within milliseconds: Int32) -> Int32? {
        var watched = pollfd(fd: readEnd, events: Int16(POLLIN), revents: 0)
        var signal: UInt8 = 0
        guard poll(&watched, 1, milliseconds) > 0, read(readEnd, &signal, 1) == 1 else { return nil }
        return Int32(signal)
    }
}

/// Set once before the handlers are, and read by them.
nonisolated(unsafe) private var writeEnd: Int32 = -1
