import DumpCore
import Glibc
import Linux
import SystemPackage

/// A private directory for what a restore fetches. Its maker removes it, with all that is in it by then.
///
/// Only our own user may enter it, until `letPass` lets other users come to what is in it. The directories above it must let `readers`
/// pass.
public struct FetchRoom: Sendable {
    /// How the name of each begins.
    public static let prefix = "muster-restore-"

    public let path: FilePath
    let directory: OpenDirectory

    /// - Parameters:
    ///   - base: where it is made; `TMPDIR` or `/var/tmp` if not said.
    ///   - readers: users who must be able to get there.
    public init(in base: FilePath = .temporaryFiles, readableBy readers: [UserAccount] = []) throws(ArchiveError) {
        do {
            let parent = try OpenDirectory(following: base)
            for reader in readers { try Self.require(reader, mayPass: base) }
            let name = FilePath("\(Self.prefix)\(RunID(start: .now))")
            path = base.pushing(name)
            directory = try parent.openNewDirectory(name)
        } catch let error as ArchiveError {
            throw error
        } catch {
            throw ArchiveError(
                .target, "cannot create a directory in \(base): \(error)",
                hint: "Name another one: TMPDIR=/path/of/a/directory muster restore …")
        }
    }

    /// Removes it. Nothing there is fine.
    public func remove() throws(Errno) { try FileTree(path).remove() }

    /// Lets other users come to what is in it, without seeing what that is. What they may read there has a mode of its own.
    public func letPass() throws(Errno) { try directory.setMode(of: FilePath(), to: 0o711) }

    /// By owner, group and others; lists that let the user in besides are not looked at.
    private static func require(_ user: UserAccount, mayPass base: FilePath) throws {
        guard user.uid != 0, user.uid != geteuid() else { return }
        var step = FilePath("/")
        for component in [nil] + (try MountTable.place(of: base).path).components.map(Optional.some) {
            if let component { step.append(component) }
            let status = try FileSystem.status(of: step)
            guard !status.letsPass(user) else { continue }
            throw ArchiveError(
                .target, "user '\(user.name)' cannot get to \(base): \(step) is closed to that user",
                hint: "Name a directory that every user may pass through: TMPDIR=/var/tmp muster restore …")
        }
    }
}

extension FileStatus {
    fileprivate func letsPass(_ user: UserAccount) -> Bool {
        if uid == user.uid { return mode & 0o100 != 0 }
        return mode & (gid == user.gid ? 0o010 : 0o001) != 0
    }
}
