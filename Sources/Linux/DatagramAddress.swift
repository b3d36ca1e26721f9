import Glibc

/// A local socket that takes messages without an answer: a service manager's, or the journal's.
struct DatagramAddress: Sendable {
    private var address = sockaddr_un()
    private let length: socklen_t

    /// - Parameter name: a path, or `@` and a name for an abstract socket. Nil where it is neither, or too long.
    init?(_ name: String) {
        guard name.hasPrefix("/") || name.hasPrefix("@"), (2...107).contains(name.utf8.count) else { return nil }
        var bytes = Array(name.utf8)
        if bytes[0] == UInt8(ascii: "@") { bytes[0] = 0 }
        // Exactly as long as the name: in an abstract one, zero bytes count.
        length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    }

    /// Without waiting. False when it has not arrived.
    func send(_ message: [UInt8]) -> Bool {
        let descriptor = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        let sent = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(descriptor, message, message.count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL), $0, length)
            }
        }
        return sent == message.count
    }
}
