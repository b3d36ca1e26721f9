import DumpCore
import Glibc
import Linux
import SystemPackage

extension SecretSource {
    /// The bytes of a regular file, symbolic links followed.
    ///
    /// - Parameter refuseReadableByAll: a file that every user may read holds no secret, except below `/run`: containers find
    ///   theirs in `/run/secrets`, readable by all, with no other user there.
    static func read(_ path: FilePath, refuseReadableByAll: Bool) async throws(SecretFailure) -> [UInt8] {
        let mode: mode_t
        let bytes: [UInt8]
        do {
            // The file may lie on a network file system.
            (mode, bytes) = try await onOwnThread { () throws(Errno) in try contents(path) }
        } catch {
            throw SecretFailure("\(path): \(error)")
        }
        guard mode & S_IFMT == S_IFREG else { throw SecretFailure("\(path) is not a file") }
        guard !refuseReadableByAll || mode & S_IROTH == 0 || path.starts(with: "/run") else {
            throw SecretFailure("every user may read \(path)", hint: "Take the permission away: chmod o= \(path)")
        }
        if refuseReadableByAll { try requireControl(of: path) }
        guard bytes.count <= longestSecret else {
            throw SecretFailure("\(path) holds more than \(formatBytes(Int64(longestSecret)))")
        }
        return bytes
    }

    /// Another user who can change it can have us use another. What containers find in `/run/secrets` keeps its owner on the host.
    private static func requireControl(of path: FilePath) throws(SecretFailure) {
        guard !path.starts(with: "/run/secrets") else { return }
        let parts: [LoosePart]
        do {
            parts = try path.loosePartsOfFile()
        } catch {
            throw SecretFailure("cannot look at the way to \(path): \(error)")
        }
        guard let part = parts.first else { return }
        throw SecretFailure("it is not safe from other users: \(part)", hint: part.remedy)
    }

    /// Where systemd puts the credentials of our unit, or nil outside one.
    public static var credentialsDirectory: FilePath? {
        getenv("CREDENTIALS_DIRECTORY").map { FilePath(String(cString: $0)) }
    }

    static func readCredential(_ name: String, in directory: FilePath?) async throws(SecretFailure) -> [UInt8] {
        guard let directory else {
            throw SecretFailure(
                "there are no credentials, CREDENTIALS_DIRECTORY is not set",
                hint: "Credentials exist only in a systemd unit: give it LoadCredential=\(name):/path/of/the/secret.")
        }
        guard let component = FilePath.Component(name), component.kind == .regular else {
            throw SecretFailure("'\(name)' cannot be the name of a credential")
        }
        do {
            return try await read(directory.appending(component), refuseReadableByAll: false)
        } catch {
            var failure = error
            failure.hint = failure.hint ?? "Give the unit LoadCredential=\(name):/path/of/the/secret."
            throw failure
        }
    }

    /// Mode and bytes; one byte more than a secret may have is enough to know.
    private static func contents(_ path: FilePath) throws(Errno) -> (mode_t, [UInt8]) {
        // Opening a pipe that nobody writes to would wait for ever.
        let descriptor = path.withPlatformString { open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
        guard descriptor >= 0 else { throw Errno(rawValue: errno) }
        defer { close(descriptor) }
        var facts = stat()
        guard fstat(descriptor, &facts) == 0 else { throw Errno(rawValue: errno) }
        guard facts.st_mode & S_IFMT == S_IFREG else { return (facts.st_mode, []) }
        var bytes = [UInt8](repeating: 0, count: longestSecret + 1)
        var count = 0
        while count < bytes.count {
            let got = bytes.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress! + count, $0.count - count) }
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { throw Errno(rawValue: errno) }
            guard got > 0 else { break }
            count += got
        }
        return (facts.st_mode, Array(bytes[..<count]))
    }
}
