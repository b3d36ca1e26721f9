import MusterConfig
import SystemPackage

/// What an operator says about a job that does not exist yet.
struct JobAnswers: Sendable {
    var job: String
    var clusters: [LocalCluster] = []
    var directories: [FilePath] = []
    var staging: FilePath
    /// As Borg names it.
    var repository: String
    /// Without a file for it, the job has no passphrase: the repository is not encrypted.
    var passphraseFile: FilePath
    var keyExport: FilePath
    /// For a repository on a server; nil is as ssh itself is set up.
    var sshKey: FilePath?
    /// Borg's name on the server, where it has another one there.
    var remotePath: String?

    init(job: String, repository: String, in directory: FilePath = JobFile.directory()) {
        self.job = job
        self.repository = repository
        staging = FilePath("/var/lib/muster").appending(job)
        passphraseFile = directory.appending("\(job).passphrase")
        keyExport = directory.appending("\(job).key")
        // The one server whose Borg of a present version has another name than borg.
        if repository.contains(".rsync.net") { remotePath = "borg14" }
    }

    var isRemote: Bool { !repository.hasPrefix("/") }

    /// The dump of each directory, by the last part of its path, or by more of it where two would have the same.
    var namedDirectories: [(name: String, path: FilePath)] {
        var taken = Set(clusters.map(\.dumpName))
        return directories.map { path in
            let parts = path.components.map { $0.string.map(Self.fitting).joined() }.filter { !$0.isEmpty }
            let candidates = (1...max(parts.count, 1)).map { parts.suffix($0).joined(separator: "-") } + ["tree"]
            var name = candidates.first { !$0.isEmpty && !taken.contains($0) } ?? "tree"
            while taken.contains(name) { name += "-2" }
            taken.insert(name)
            return (name, path)
        }
    }

    private static func fitting(_ character: Character) -> String {
        character.isASCII && (character.isLetter || character.isNumber) ? String(character) : ""
    }
}
