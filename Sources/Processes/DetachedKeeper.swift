import DumpCore
import Glibc
import Linux
import SystemPackage

/// A keeper that may outlive us, and that talks with us: over a socket that keeps messages apart, its standard input.
///
/// It writes nowhere, as what it would write to may hang. What it does and says, its half of the keeper decides.
public final class DetachedKeeper: Sendable {
    private let child: ChildProcess
    private let socket: FileDescriptor

    fileprivate init(_ child: ChildProcess, _ socket: FileDescriptor) {
        (self.child, self.socket) = (child, socket)
    }

    /// Waits for its next message. Empty when it has ended, and will say nothing.
    public func nextMessage() async -> [UInt8] {
        let socket = socket
        return await onOwnThread {
            var message = [UInt8](repeating: 0, count: 8192)
            var count = recv(socket.rawValue, &message, message.count, 0)
            // A reset is reported once, before what had been sent: the keeper has ended before it read all that we had sent.
            while count < 0 && (errno == EINTR || errno == ECONNRESET) {
                count = recv(socket.rawValue, &message, message.count, 0)
            }
            return Array(message.prefix(max(count, 0)))
        }
    }

    /// Sends a message. One that has ended already has no reader, which its status says.
    public func send(_ message: [UInt8]) { Glibc.send(socket.rawValue, message, message.count, Int32(MSG_NOSIGNAL)) }

    /// Ends the conversation, and waits for its end: how it ended, or nil if the kernel no longer knows it. To be called once.
    public func end() async -> ProgramOutcome.Status? {
        // What a socket is closed with cannot fail in a way that matters.
        try? socket.close()
        let child = child
        return await onOwnThread { child.reap() }.map { ProgramOutcome.Status(waitStatus: $0) }
    }
}

extension ProgramRunner {
    /// Starts a keeper that may outlive us, and that begins at once. It must be waited for by `DetachedKeeper.end`.
    ///
    /// - Parameters:
    ///   - arguments: the keeper's own.
    ///   - program: what it runs: its variables, and what it inherits from us.
    public func startDetached(
        _ arguments: [String], withEnvironmentOf program: Program
    ) throws(Errno) -> DetachedKeeper {
        var ends: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            throw Errno(rawValue: errno)
        }
        // The other end is the keeper's alone: that ours is closed by our own end must be an end for it.
        defer { close(ends[1]) }
        do throws(Errno) {
            let null = try FileDescriptor.null(O_WRONLY)
            defer { close(null.rawValue) }
            let child = try ChildProcess.start(
                [keeper.string] + arguments, ChildEnvironment.of(program), in: "/",
                [ends[1], null.rawValue, null.rawValue])
            return DetachedKeeper(child, FileDescriptor(rawValue: ends[0]))
        } catch {
            close(ends[0])
            throw error
        }
    }
}
