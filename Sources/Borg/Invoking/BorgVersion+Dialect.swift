/// How a Borg is told what to do. Borg 2 has other words for what Borg 1 says about a whole repository, and no `REPO::ARCHIVE`.
extension BorgVersion {
    /// Leaves out the statistics of the whole repository, which cost time in a large one.
    var hasQuickStatistics: Bool { self >= BorgVersion(1, 4, 5) }

    /// The verb that creates a repository.
    var initialize: String { isSecond ? "repo-create" : "init" }

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

    private var isSecond: Bool { major >= 2 }
}
