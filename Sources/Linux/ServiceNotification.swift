import DumpCore
import Glibc
import SystemPackage

/// The line that `systemctl status` shows of a service: `STATUS=` of sd_notify(3).
///
/// Nothing else is sent. `READY=1` says that others may start, which for a dump is when it has ended; a unit of `Type=oneshot`
/// says that by its exit, and systemd does not wait for more. `STOPPING=1` tells systemd what it knows: it was it that stopped us.
/// A oneshot unit needs `NotifyAccess=main`, without which there is no socket.
public struct ServiceNotification: Sendable {
    /// A path, or `@` and a name for an abstract socket.
    private let socket: String

    /// Where the service manager listens; nil when none does.
    public static let fromEnvironment: ServiceNotification? = getenv("NOTIFY_SOCKET").flatMap {
        ServiceNotification(socket: String(cString: $0))
    }

    init?(socket: String) {
        guard socket.hasPrefix("/") || socket.hasPrefix("@"), (2...107).contains(socket.utf8.count) else { return nil }
        self.socket = socket
    }

    /// Says one line, without waiting: a line break would begin an assignment of its own. One that does not arrive is followed by the next.
    public func say(status: String) {
        let descriptor = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var name = Array(socket.utf8)
        if name[0] == UInt8(ascii: "@") { name[0] = 0 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        // Exactly as long as the name: in an abstract one, zero bytes count.
        let length = socklen_t(MemoryLayout<sa_family_t>.size + name.count)
        let message = Array("STATUS=\(status.onOneLine)".utf8)
        _ = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(descriptor, message, message.count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL), $0, length)
            }
        }
    }
}
