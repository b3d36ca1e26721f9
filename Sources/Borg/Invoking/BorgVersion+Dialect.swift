import DumpCore

/// How to give orders to Borg. Borg 2 has other words for what Borg 1 says about a whole repository, and no `REPO::ARCHIVE`.
extension BorgVersion {
    /// Leaves out the statistics of the whole repository, which cost time in a large one.
    var hasQuickStatistics: Bool { self >= BorgVersion(1, 4, 5) && !isSecond }

    /// The verb that creates a repository, and its options for an encryption. Nil if this Borg does not have it.
    func initialization(with mode: RepositorySettings.Encryption) -> [String]? {
        switch (mode, isSecond) {
        case (.none, false), (.authenticated, false), (.authenticatedBlake2, false), (.repokey, false),
            (.repokeyBlake2, false), (.keyfile, false), (.keyfileBlake2, false):
            ["init", "--encryption", mode.rawValue]
        case (.none, true), (.authenticated, true): ["repo-create", "--encryption", mode.rawValue]
        case (.repokeyAES, true): ["repo-create", "--encryption", "aes256-ocb", "--key-location", "repokey"]
        case (.repokeyChaCha, true): ["repo-create", "--encryption", "chacha20-poly1305", "--key-location", "repokey"]
        case (.keyfileAES, true): ["repo-create", "--encryption", "aes256-ocb", "--key-location", "keyfile"]
        case (.keyfileChaCha, true): ["repo-create", "--encryption", "chacha20-poly1305", "--key-location", "keyfile"]
        default: nil
        }
    }

    /// The verb that lists the archives of a repository.
    var listArchives: String { isSecond ? "repo-list" : "list" }

    /// An archive of the repository that `BORG_REPO` names, as an argument.
    func archive(_ name: String) -> String { isSecond ? name : "::" + name }

    /// The option that picks archives whose names match a shell pattern.
    func archives(matching pattern: String) -> [String] {
        isSecond ? ["--match-archives", "sh:" + pattern] : ["--glob-archives", pattern]
    }

    /// The repository that `BORG_REPO` names, where something comes after it.
    var repository: [String] { isSecond ? [] : ["::"] }

    /// What one entry of an archive's listing tells: id, mode, size, path, and the path that it is another name of, if it is.
    ///
    /// Borg 1 tells paths as bytes. Borg 2 lists each name of a file with all that is to be known of it.
    var listingFormat: String {
        "{archiveid}{NUL}{mode}{NUL}{size}{NUL}" + (isSecond ? "{path}{NUL}{target}{NUL}" : "{bpath}{NUL}{source}{NUL}")
    }

    /// An archive that a listing has shown. Several archives may have one name in Borg 2.
    func archive(_ archive: Archive) -> String { isSecond ? "aid:" + archive.id : self.archive(archive.name) }

    /// What has a list tell of each archive what `ListDocument` reads.
    ///
    /// - Parameter withCheckpoints: list those too, with the command line, where alone a checkpoint tells of its comment. Borg 2 makes none.
    func listing(withCheckpoints: Bool) -> [String] {
        let format = "{name}{id}{start}{comment}"
        return withCheckpoints && !isSecond
            ? ["--consider-checkpoints", "--format", format + "{command_line}"] : ["--format", format]
    }

    /// What deletes archives of the repository that `BORG_REPO` names: one run of Borg 1, one of Borg 2 for each archive.
    func deletions(of archives: [Archive]) -> [[String]] {
        guard !archives.isEmpty else { return [] }
        return isSecond
            ? archives.map { ["delete", archive($0)] }
            : [["delete", "--progress"] + repository + archives.map(\.name)]
    }

    var isSecond: Bool { major >= 2 }
}
