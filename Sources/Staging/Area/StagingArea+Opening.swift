import DumpCore
import Glibc
import Linux
import SystemPackage

extension StagingArea {
    func makeWhatIsMissing() throws(StagingError) {
        if try !isOurs() {
            try createRoot()
            try createLockFile()
            // Another process may have been faster with something else.
            guard try isOurs() else { throw unsuitable("cannot make a staging area of \(root)", hint: "Try again.") }
        }
        for directory in [journal.directory, incoming, runs, repositories] where try !isPrivateDirectory(directory) {
            try createDirectory(directory)
        }
    }

    /// Whether a whole staging area is there. `repositories` is made last, and reading goes well without it.
    func isComplete() throws(StagingError) -> Bool {
        guard try isOurs() else { return false }
        for directory in [journal.directory, incoming, runs] where try !isPrivateDirectory(directory) { return false }
        return true
    }

    /// Whether a staging area is there, perhaps half made. Throws unless it is, or could be made there.
    private func isOurs() throws(StagingError) -> Bool {
        guard root.isAbsolute else {
            throw unsuitable("staging path \(root) is not absolute", hint: "Write it with a leading slash.")
        }
        guard let status = try status(of: root) else { return false }
        try requireDirectoryOfOurs(status)
        let names = try attempting(to: "list", root) { try FileSystem.names(in: root) }
        guard names.contains(Self.lockName) else {
            try requireEmpty(names)
            return false
        }
        guard status.mode & 0o077 == 0 else {
            throw unsuitable(
                "staging directory \(root) is open to other users (mode 0\(String(status.mode, radix: 8)))",
                hint: "Run: chmod 0700 \(root)")
        }
        try requireNothingForeign(names)
        return true
    }

    /// What another user could do to the area, because a directory on the way to it is that user's or open to all. Nil if nothing.
    ///
    /// A user who can exchange such a directory could have root give, remove or overwrite what is elsewhere.
    ///
    /// - Parameter users: who the dumps are handed to as they are made. A directory of theirs is warned of, any other user's is refused.
    public static func exposure(of root: FilePath, toAllBut users: [String]) async throws(StagingError) -> Finding? {
        try await onOwnThread { () throws(StagingError) in
            guard root.isAbsolute else { return nil }
            let parts = try attempting(to: "look at the way to", root) { try root.looseParts() }
            // One who does not exist has no directories; the dump says so.
            let accounts = users.compactMap { UserAccount(named: $0) }
            if let strange = parts.first(where: { part in !accounts.contains(where: part.isHeld) }) {
                throw unsuitable(root, exposedBy: strange)
            }
            return parts.first.map { part in
                Finding(
                    .warning, "staging_exposed", object: root.string,
                    "\(root) is not safe from other users: \(part)",
                    hint: "Name a directory whose whole path only root, or the user that muster runs as, can write to.")
            }
        }
    }

    /// Throws where another user could exchange a directory on the way to the area.
    public static func requireControl(of root: FilePath) async throws(StagingError) {
        _ = try await exposure(of: root, toAllBut: [])
    }

    private static func unsuitable(_ root: FilePath, exposedBy part: LoosePart) -> StagingError {
        StagingError(
            .unsuitableDirectory, "\(root) is not safe from other users: \(part)",
            hint: """
                Name a directory whose whole path only root, or the user that muster runs as, can write to. If it is meant to be so, set \
                \(LoosePart.variable)=\(part.path) in the environment.
                """)
    }

    private func requireDirectoryOfOurs(_ status: FileStatus) throws(StagingError) {
        guard status.kind != .symbolicLink else {
            throw unsuitable(
                "staging path \(root) is a symbolic link",
                hint: "Name the directory itself: archives hold its real path.")
        }
        guard status.kind == .directory else {
            throw unsuitable(
                "staging path \(root) is not a directory", hint: "Name a directory, or remove what is there.")
        }
        guard status.uid == geteuid() else {
            throw unsuitable(
                "staging directory \(root) belongs to user \(status.uid), not to user \(geteuid())",
                hint: "Run muster as its owner, or name another directory.")
        }
    }

    private func requireEmpty(_ names: [FilePath.Component]) throws(StagingError) {
        guard let first = names.first(where: { $0 != lostAndFound }) else { return }
        throw unsuitable(
            "directory \(root) is not empty and is not a staging area: it holds \(first)",
            hint: "Name a directory that does not exist yet, or an empty one.")
    }

    /// A directory with a file called `lock` might still be a stranger's. Ours was completed, or holds nothing but ours.
    private func requireNothingForeign(_ names: [FilePath.Component]) throws(StagingError) {
        let lock = try status(of: lockFile)
        guard lock?.kind == .file, lock?.uid == geteuid() else {
            throw unsuitable(
                "\(lockFile) is not a file of user \(geteuid())",
                hint: "Name a directory that is a staging area, or empty.")
        }
        // `repositories` comes after these: where it is, they are.
        let made = [Self.lockName, Self.journalName, Self.incomingName, Self.runsName]
        guard !made.allSatisfy(names.contains),
            let foreign = names.first(where: { !made.contains($0) && $0 != lostAndFound })
        else { return }
        throw unsuitable(
            "directory \(root) is not a staging area: it holds \(foreign)",
            hint: "Name a directory that does not exist yet, or an empty one.")
    }

    private func isPrivateDirectory(_ path: FilePath) throws(StagingError) -> Bool {
        guard let status = try status(of: path) else { return false }
        guard status.kind == .directory, status.uid == geteuid(), status.mode & 0o077 == 0 else {
            throw unsuitable(
                "\(path) is not a private directory of user \(geteuid())",
                hint: "It should be a directory of mode 0700. Find out who changed it.")
        }
        return true
    }

    private func unsuitable(_ message: String, hint: String) -> StagingError {
        StagingError(.unsuitableDirectory, message, hint: hint)
    }
}

extension StagingArea {
    /// The root, new or known to be an empty directory of our own, and private.
    private func createRoot() throws(StagingError) {
        let parent = root.removingLastComponent()
        guard try exists(parent) else {
            throw unsuitable(
                "cannot create staging directory \(root): \(parent) does not exist",
                hint: "Create \(parent), or mount the file system that it should be on.")
        }
        try createDirectory(root)
        try attempting(to: "change the mode of", root) {
            guard root.withPlatformString({ chmod($0, 0o700) }) == 0 else { throw Errno(rawValue: errno) }
        }
    }

    /// First of all: a directory that has it is known as ours after a crash.
    private func createLockFile() throws(StagingError) {
        try attempting(to: "create", lockFile) {
            try FileDescriptor.open(
                lockFile, .readWrite, options: [.create, .noFollow, .closeOnExec], permissions: .ownerReadWrite
            ).close()
            try FileSystem.flush(root)
        }
    }

    /// Nothing happens if it is there: another process may be doing the same.
    private func createDirectory(_ path: FilePath) throws(StagingError) {
        do {
            try attempting(to: "create", path) {
                try FileSystem.createDirectory(path)
                try FileSystem.flush(parentOf: path)
            }
        } catch let error where error.underlying as? Errno == .fileExists {}
    }
}

/// What mkfs makes in a file system's root: a staging area may be a file system of its own.
private let lostAndFound = FilePath.Component("lost+found")
