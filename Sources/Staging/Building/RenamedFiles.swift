import DumpCore
import SystemPackage

/// Files of a dump whose counterparts in the current set have other names. There is one for each table at the most.
struct RenamedFiles {
    /// By the new path, as all paths here relative to the set.
    private var formers: [FilePath: FilePath] = [:]
    /// What the current set lists for the counterparts.
    private var digests: [FilePath: String] = [:]

    /// - Parameter renamed: relative to the dump's directory.
    init(_ renamed: [FilePath: FilePath], ofDump name: String, in area: StagingArea) {
        guard !renamed.isEmpty else { return }
        let directory = FilePath(root: nil, [SetLayout.directory(ofDump: name)])
        for (new, old) in renamed { formers[directory.pushing(new)] = directory.pushing(old) }
        var list = FormerList(ofDump: name, in: area)
        digests = list.digests(of: Set(formers.values))
    }

    /// Where the current set has the same thing as a new file, and the digest that it lists there.
    ///
    /// - Parameter listed: what it lists in the file's own place. Nothing is linked from there if the file of that place has moved: two names
    ///   of one set would be one file.
    func counterpart(of path: FilePath, at listed: String?) -> (path: FilePath, sha256: String?) {
        if let former = formers[path] { return (former, digests[former]) }
        return (path, digests[path] == nil ? listed : nil)
    }
}

extension FormerList {
    /// What is left of the list, of some paths.
    fileprivate mutating func digests(of paths: Set<FilePath>) -> [FilePath: String] {
        var digests: [FilePath: String] = [:]
        while let line = next() {
            if paths.contains(line.path) { digests[line.path] = line.sha256 }
        }
        return digests
    }
}
