import Glibc
import Linux
import SystemPackage

/// A socket that a service manager would listen at.
public final class NotifySocket: Sendable {
    private let descriptor: Int32

    public init(_ path: String, isAbstract: Bool) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let name = (isAbstract ? [0] : []) + Array(path.utf8)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + name.count)
        let failure = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
        }
        guard failure == 0 else { throw Errno(rawValue: errno) }
    }

    deinit { close(descriptor) }

    /// What waits to be read.
    public func received() -> [String] {
        var messages: [String] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while case let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT)), count > 0 {
            messages.append(String(decoding: buffer[..<count], as: UTF8.self))
        }
        return messages
    }

    /// All messages up to one, read as they come on a thread of its own: a socket keeps only a few, and a task may have to wait for its turn.
    /// Ends without it when none comes for a minute and a half.
    public func received(upTo last: String) async -> [String] {
        await onOwnThread { [self] in
            var messages: [String] = []
            var watched = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            while messages.last != last, poll(&watched, 1, 90_000) > 0 { messages += received() }
            return messages
        }
    }
}
