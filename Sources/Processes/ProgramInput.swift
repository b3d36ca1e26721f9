import Glibc
import Linux
import Synchronization
import SystemPackage

/// What a program gets while it runs, line by line on its standard input. For one program, once.
///
/// The program may rely on the end: its input ends when we close it, and when we end.
public final class ProgramInput: Sendable {
    private struct Ends {
        /// The program's, until it has it.
        var read: Int32 = -1
        var write: Int32 = -1
    }

    private let ends = Mutex(Ends())
    /// Whether a line found no room, or no reader.
    private let lostLine = Mutex(false)

    public init() { _ = Self.brokenPipesAreErrors }

    /// Not the end of this process: that a program reads no more is its own business.
    private static let brokenPipesAreErrors: Void = { _ = signal(SIGPIPE, SIG_IGN) }()

    deinit { close() }

    /// Sends a line without waiting: false if the program has ended, has closed its input, or does not read the lines before.
    @discardableResult
    public func send(_ line: String) -> Bool {
        let bytes = Array((line + "\n").utf8)
        return ends.withLock { ends in
            let isSent = ends.write >= 0 && write(ends.write, bytes, bytes.count) == bytes.count
            if !isSent { lostLine.withLock { $0 = true } }
            return isSent
        }
    }

    /// Whether the program has read all its lines. To be asked once it has ended, before `close`.
    public var isRead: Bool {
        guard !lostLine.withLock({ $0 }) else { return false }
        // A pipe that cannot be asked is not the program's fault.
        return ends.withLock { $0.write < 0 || (try? FileDescriptor(rawValue: $0.write).unreadBytes()) ?? 0 == 0 }
    }

    /// Ends the input. A second time does nothing.
    public func close() {
        ends.withLock { ends in
            if ends.read >= 0 { Glibc.close(ends.read) }
            if ends.write >= 0 { Glibc.close(ends.write) }
            ends = Ends()
        }
    }

    /// The program's end of a new pipe.
    func open() throws(Errno) -> FileDescriptor {
        let pipe = try makePipe()
        _ = fcntl(pipe.write.rawValue, F_SETFL, O_NONBLOCK)
        ends.withLock { $0 = Ends(read: pipe.read.rawValue, write: pipe.write.rawValue) }
        return pipe.read
    }

    /// The program has its end, and is to be the only one that has it.
    func hasBeenHandedOn() {
        ends.withLock { ends in
            if ends.read >= 0 { Glibc.close(ends.read) }
            ends.read = -1
        }
    }
}
