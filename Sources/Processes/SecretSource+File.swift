import DumpCore
import Glibc
import Linux
import SystemPackage

extension SecretSource {
    /// The bytes of a regular file, symbolic links followed.
    ///
    /// - Parameters:
    ///   - refuseReadableByAll: a file that every user may read holds no secret, except below `/run`: containers find theirs in
    ///     `/run/secrets`, readable by all, with no other user there.
    ///   - holder: a user who may be able to change the file. No other may.
    static func read(
        _ path: FilePath, refuseReadableByAll: Bool, holder: UserAccount? = nil
    ) async throws(SecretFailure) -> [UInt8] {
        let isHeld = refuseReadableByAll ? try requireControl(of: path, holder) : false
        let (status, bytes): (FileStatus, [UInt8])
        do {
            // The file may lie on a network file system.
            (status, bytes) = try await onOwnThread { () throws(Errno) in
                try contents(of: isHeld ? openAlongUsers(path) : open(path))
            }
        } catch {
            var failure = SecretFailure("\(path): \(error)")
            failure.isOfMissingFile = error == .noSuchFileOrDirectory
            throw failure
        }
        guard status.kind == .file else { throw SecretFailure("\(path) is not a file") }
        // By a name of their own for it, users would have us read a file that is closed to them.
        guard !isHeld || status.links == 1 else { throw SecretFailure("\(path) has other names") }
        guard !refuseReadableByAll || status.mode & UInt32(S_IROTH) == 0 || path.starts(with: "/run") else {
            throw SecretFailure("every user may read \(path)", hint: "Take the permission away: chmod o= \(path)")
        }
        guard bytes.count <= longestSecret else {
            throw SecretFailure("\(path) holds more than \(formatBytes(Int64(longestSecret)))")
        }
        return bytes
    }

    /// The file that the operator names. One that is missing may have to be made first.
    static func readFile(_ path: FilePath, holder: UserAccount?) async throws(SecretFailure) -> [UInt8] {
        do throws(SecretFailure) {
            return try await read(path, refuseReadableByAll: true, holder: holder)
        } catch {
            var failure = error
            if failure.isOfMissingFile {
                failure.hint =
                    "Write the secret into that file, readable by its owner alone, or name the file that has it."
            }
            throw failure
        }
    }

    /// Another user who can change it can have us use another. What containers find in `/run/secrets` keeps its owner on the host.
    ///
    /// - Returns: whether `holder` can.
    private static func requireControl(of path: FilePath, _ holder: UserAccount?) throws(SecretFailure) -> Bool {
        guard !path.starts(with: "/run/secrets") else { return false }
        let parts: [LoosePart]
        do {
            parts = try path.loosePartsOfFile()
        } catch {
            throw SecretFailure("cannot check the path to \(path): \(error)")
        }
        if let part = parts.first(where: { part in holder.map(part.isHeld) != true }) {
            throw SecretFailure("it is not safe from other users: \(part)", hint: part.remedy)
        }
        return !parts.isEmpty
    }

    /// Where systemd puts the credentials of our unit, or nil outside one.
    public static var credentialsDirectory: FilePath? {
        getenv("CREDENTIALS_DIRECTORY").map { FilePath(String(cString: $0)) }
    }

    static func readCredential(_ name: String, in directory: FilePath?) async throws(SecretFailure) -> [UInt8] {
        guard let directory else {
            throw SecretFailure(
                "there are no credentials: CREDENTIALS_DIRECTORY is not set",
                hint:
                    "Credentials exist only in a systemd unit: give it LoadCredential=\(name):FILE. By hand: systemd-run --pipe --wait --property=LoadCredential=\(name):FILE muster …"
            )
        }
        guard let component = FilePath.Component(name), component.kind == .regular else {
            throw SecretFailure("'\(name)' cannot be the name of a credential")
        }
        do {
            return try await read(directory.appending(component), refuseReadableByAll: false)
        } catch {
            var failure = error
            failure.hint = failure.hint ?? hint(onMissing: name, in: directory)
            throw failure
        }
    }

    private static func hint(onMissing name: String, in directory: FilePath) -> String {
        let advice = "Give the unit LoadCredential=\(name):/path/of/the/secret."
        guard (try? FileSystem.names(in: directory)) == [] else { return advice }
        return advice
            + " It has none at all: LoadCredential=\(name) without a path is looked for in /etc/credstore, and where systemd finds nothing it starts the unit all the same."
    }

    private static func open(_ path: FilePath) throws(Errno) -> FileDescriptor {
        // Opening a pipe without a writer would wait for ever.
        let opened = path.withPlatformString { Glibc.open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
        guard opened >= 0 else { throw Errno(rawValue: errno) }
        return FileDescriptor(rawValue: opened)
    }

    /// No link leads from what is a user's to what is another's.
    private static func openAlongUsers(_ path: FilePath) throws(Errno) -> FileDescriptor {
        try OpenDirectory(alongUsers: path.removingLastComponent())
            .openFile(FilePath(root: nil, path.components.suffix(1)))
    }

    /// What it is, and its bytes; one byte more than a secret may have is enough to know. Closes it.
    private static func contents(of file: FileDescriptor) throws(Errno) -> (FileStatus, [UInt8]) {
        defer { try? file.close() }
        let status = try FileSystem.status(of: file)
        return (status, status.kind == .file ? try file.readAll(atMost: longestSecret + 1) : [])
    }
}
