import Glibc
import SystemPackage

extension FilePath {
    /// Why a user other than root and us could put something else in the place of what lies at this absolute path; nil if nobody could.
    ///
    /// Looks at every directory on the way, and at those that links among them lead to. Reads on after "because", such as
    /// `/home/alice belongs to user 1000`. What does not exist yet is no reason: whoever makes it can see to it.
    public func loosePart() throws(Errno) -> String? {
        let parent = removingLastComponent()
        if let found = try parent.looseStep() { return found }
        guard let real = parent.withPlatformString({ realpath($0, nil) }) else {
            guard errno != ENOENT else { return nil }
            throw Errno(rawValue: errno)
        }
        defer { free(real) }
        return try FilePath(platformString: real).looseStep()
    }

    /// From the root on, so that the first that can be exchanged is named.
    private func looseStep() throws(Errno) -> String? {
        var step = FilePath("/")
        for component in [nil] + components.map(Optional.some) {
            if let component { step.append(component) }
            do {
                if let fault = try FileSystem.status(of: step).looseness { return "\(step) \(fault)" }
            } catch Errno.noSuchFileOrDirectory {
                return nil
            }
        }
        return nil
    }
}

extension FileStatus {
    /// What lets other users exchange the names in a directory, or lead a link elsewhere.
    fileprivate var looseness: String? {
        guard uid == 0 || uid == geteuid() else { return "belongs to user \(uid)" }
        // In a sticky directory, nobody can rename what belongs to another.
        guard kind == .directory, mode & mode_t(S_ISVTX) == 0 else { return nil }
        if mode & 0o002 != 0 { return "is writable by all users" }
        return mode & 0o020 != 0 && gid != 0 && gid != getegid() ? "is writable by group \(gid)" : nil
    }
}
