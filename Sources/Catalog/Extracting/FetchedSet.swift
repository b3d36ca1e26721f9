import DumpCore
import Glibc
import Linux
import Staging
import SystemPackage

/// A set, or parts of one, in a private directory, shown to be what was sealed. With its manifest, the lists and the inventories.
public struct FetchedSet: Sendable {
    public let room: FetchRoom
    public let manifest: Manifest
    /// Nil is all of the set.
    public let parts: [SetPart]?
    /// Files that were compared with their checksums, and their bytes.
    public let files: Int
    public let bytes: Int64

    /// Where the files of a dump are.
    public func directory(of dump: Manifest.DumpRecord) -> FilePath { room.path.pushing(dump.directory) }

    /// Lets a user read the files of a dump, and the user's group, but not change them. To be called once it is verified, and only for
    /// a dump that is not a tree: a tree keeps its owners.
    ///
    /// Other users get no further than to the room, which they cannot list. For our own user, and for root, nothing is changed.
    public func makeReadable(_ dump: Manifest.DumpRecord, by user: UserAccount) async throws(ArchiveError) {
        guard user.uid != 0, user.uid != geteuid() else { return }
        let (place, name) = (dump.directory, dump.name)
        do {
            try await onOwnThread { () throws(Errno) in
                try open(place, FileStatus.Kind.directory, to: user)
                var walk = try FileTreeWalk(room.directory.unmistakablePath.pushing(place))
                while let entry = try walk.next() { try open(place.pushing(entry.path), entry.status.kind, to: user) }
                try room.letPass()
            }
        } catch {
            throw ArchiveError(
                .system, "cannot let user '\(user.name)' read dump '\(name)' in \(room.path): \(error)",
                hint: error == .notPermitted ? "Run it as root, or as user '\(user.name)'." : nil, underlying: error)
        }
    }

    private func open(_ path: FilePath, _ kind: FileStatus.Kind, to user: UserAccount) throws(Errno) {
        guard kind == .directory || kind == .file else { return }
        try room.directory.setOwner(of: path, to: geteuid(), user.gid)
        try room.directory.setMode(of: path, to: kind == .directory ? 0o750 : 0o640)
    }
}
