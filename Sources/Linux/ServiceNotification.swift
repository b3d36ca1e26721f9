import DumpCore
import Glibc

/// What a service manager learns from its service, by the protocol of sd_notify(3). It learns the line that `systemctl status` shows
/// (`STATUS=`), and that there is progress (`EXTEND_TIMEOUT_USEC=`).
///
/// Nothing else is sent. `READY=1` says that other units may start, which for a dump is when it has ended. A unit of `Type=oneshot` says
/// that by its exit, and systemd does not wait for more. `STOPPING=1` would tell systemd what it knows, because systemd itself stopped us.
/// A oneshot unit needs `NotifyAccess=main`, without which there is no socket.
public struct ServiceNotification: Sendable {
    private let socket: DatagramAddress

    /// Where the service manager listens; nil when none does.
    public static let fromEnvironment: ServiceNotification? = getenv("NOTIFY_SOCKET").flatMap {
        ServiceNotification(socket: String(cString: $0))
    }

    init?(socket: String) {
        guard let socket = DatagramAddress(socket) else { return nil }
        self.socket = socket
    }

    /// Replaces the line that is shown. A line break would begin an assignment of its own.
    public func say(status: String) { send("STATUS=\(status.onOneLine)") }

    /// Has the service live so much longer from now on, if it would not anyway.
    func extendTimeout(to time: Duration) { send("EXTEND_TIMEOUT_USEC=\(Int64(time / .microseconds(1)))") }

    /// Without waiting. What does not arrive is followed by the next.
    private func send(_ assignment: String) { _ = socket.send(Array(assignment.utf8)) }
}
