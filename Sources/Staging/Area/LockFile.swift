import Documents
import Glibc
import Linux
import Synchronization
import SystemPackage

/// A lock on a file by flock(2), shared or exclusive, released when this process ends however it ends.
final class LockFile: Sendable {
    enum Access: Sendable { case exclusive, shared }

    private let file: Mutex<FileDescriptor?>

    /// Takes the lock, or returns nil at once when others hold it.
    init?(_ path: FilePath, _ access: Access) throws(StagingError) {
        let taken = try attempting(to: "lock", path) { try Self.take(path, access) }
        guard let taken else { return nil }
        file = Mutex(taken)
    }

    deinit { release() }

    var isHeld: Bool { file.withLock { $0 != nil } }

    /// Writes into the file who holds it.
    func show(_ holder: LockHolder) {
        file.withLock { file in
            guard let file, let text = try? SnakeCaseJSON.encode(holder) else { return }
            // The text is for people alone, and a full disk must not keep them from reading the rest.
            guard ftruncate(file.rawValue, 0) == 0 else { return }
            _ = try? file.writeAll(toAbsoluteOffset: 0, text)
        }
    }

    /// Lets a program that takes this process's place by execve(2) have the lock, and with it every child that inherits the
    /// descriptor. The lock lasts until the last of them has ended or closed it.
    func keepOverExec() throws(StagingError) {
        let failure: Errno? = file.withLock { file in
            guard let file else { return .badFileDescriptor }
            return fcntl(file.rawValue, F_SETFD, 0) == 0 ? nil : Errno(rawValue: errno)
        }
        guard let failure else { return }
        throw StagingError(.system, "cannot hand on the lock: \(failure)", underlying: failure)
    }

    func release() {
        file.withLock { open in
            guard let file = open.take() else { return }
            // Explicitly, because a program that is being started this very moment may still share the descriptor. Neither
            // can fail on our own descriptor.
            _ = flock(file.rawValue, LOCK_UN)
            try? file.close()
        }
    }

    private static func take(_ path: FilePath, _ access: Access) throws -> FileDescriptor? {
        let file = try open(path, access)
        do {
            if try lock(file, access) { return file }
        } catch {
            // The error at hand says more.
            try? file.close()
            throw error
        }
        try file.close()
        return nil
    }

    /// For writing too, to tell others who we are. One who reads can do without, as under ProtectSystem=strict of systemd.
    private static func open(_ path: FilePath, _ access: Access) throws -> FileDescriptor {
        do {
            return try FileDescriptor.open(path, .readWrite, options: [.noFollow, .closeOnExec])
        } catch Errno.readOnlyFileSystem where access == .shared {
            return try FileDescriptor.open(path, .readOnly, options: [.noFollow, .closeOnExec])
        }
    }

    /// False when others hold the lock.
    private static func lock(_ file: FileDescriptor, _ access: Access) throws(Errno) -> Bool {
        while flock(file.rawValue, (access == .exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB) != 0 {
            switch errno {
            case EINTR: continue
            case EWOULDBLOCK: return false
            default: throw Errno(rawValue: errno)
            }
        }
        return true
    }
}
