import SystemPackage

extension BorgRepository {
    /// Becomes the Borg that mounts an archive at a directory. Returns only by throwing.
    ///
    /// That Borg goes to the background and reads from the repository, whose lock it shares, until the directory is unmounted.
    public func mount(_ archive: Archive, at directory: FilePath, inForeground: Bool) async throws(BorgError) -> Never {
        let options = inForeground ? ["--foreground"] : []
        try passThrough(["mount"] + options + [try await version().archive(archive), directory.string])
    }
}
