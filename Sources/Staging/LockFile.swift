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
            // Nobody relies on the text, and a full disk must not keep anybody from reading what is there.
            guard ftruncate(file.rawValue, 0) == 0 else { return }
            _ = try? file.writeAll(toAbsoluteOffset: 0, text)
        }
    }

    func release() {
        file.withLock { open in
            guard let file = open.take() else { return }
            // Explicitly, because a program that is being started this very moment may still share the descriptor. Neither
            // can fail on a descriptor of ours.
            _ = flock(file.rawValue, LOCK_UN)
            try? file.close()
        }
    }

    private static func take(_ path: FilePath, _ access: Access) throws -> FileDescriptor? {
        let file = try FileDescriptor.open(path, .readWrite, options: [.noFollow, .closeOnExec])
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
