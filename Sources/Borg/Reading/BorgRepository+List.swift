import Documents
import DumpCore
import Staging

extension BorgRepository {
    /// The archives of the repository, oldest first; of one job only if one is given. Checkpoints are not among them.
    ///
    /// Reads the comment of each from the repository, one request each when that is on a server.
    public func archives(of owner: ArchiveOwner? = nil) async throws(BorgError) -> [Archive] {
        let archives = try await archives(matching: owner?.glob)
        return owner.map { archives.filter($0.owns) } ?? archives
    }

    /// The archives of a job, and those that another made under one of its names, oldest first.
    public func archives(namedAs owner: ArchiveOwner) async throws(BorgError) -> [Archive] {
        try await archives(matching: owner.glob).filter(owner.mayOwn)
    }

    /// The archives whose names begin so, oldest first, including those of other jobs and hosts.
    public func archives(beginningWith text: String) async throws(BorgError) -> [Archive] {
        // What Borg might take for a pattern or a placeholder is looked for among all.
        let isPlain = text.allSatisfy { !"*?[]{}".contains($0) }
        return try await archives(matching: isPlain ? text + "*" : nil).filter { $0.name.hasPrefix(text) }
    }

    /// How many archives the repository holds, including those of other jobs and hosts. Reads nothing of each.
    public func archiveCount() async throws(BorgError) -> Int {
        let verb = try await version().listArchives
        let outcome = try await run([verb, "--json"], output: .collect(limit: Self.largestDocument))
        try requireSuccess(outcome, verb)
        return try understood(CountDocument.self, in: outcome, "list of the archives").archives.count
    }

    func archives(
        matching glob: String?, withCheckpoints: Bool = false, lockWait: Duration? = nil
    ) async throws(BorgError) -> [Archive] {
        let version = try await version()
        let which = glob.map { version.archives(matching: $0) } ?? []
        let outcome = try await run(
            [version.listArchives, "--json"] + version.listing(withCheckpoints: withCheckpoints) + which,
            lockWait: lockWait, output: .collect(limit: Self.largestDocument))
        try requireSuccess(outcome, version.listArchives)
        return try understood(ListDocument.self, in: outcome, "list of the archives").archives.map { Archive($0) }
    }

    /// What Borg wrote to standard output, as JSON.
    func understood<Document: Decodable>(
        _ type: Document.Type, in outcome: BorgOutcome, _ what: String
    ) throws(BorgError) -> Document {
        do {
            return try SnakeCaseJSON.decode(type, from: outcome.output)
        } catch {
            throw BorgError(
                .failed, "Borg's \(what) of repository '\(name)' cannot be understood",
                hint: "Check which borg runs: \(settings.program).", context: ["reason": "\(error)"], underlying: error)
        }
    }

    static var largestDocument: Int { 64 * 1024 * 1024 }
}

/// What `borg list --json` writes of archives that only count.
private struct CountDocument: Decodable {
    var archives: [Entry]

    struct Entry: Decodable {}
}

/// What `borg list --json` writes.
struct ListDocument: Decodable {
    var archives: [Entry]

    struct Entry: Decodable {
        var name: String
        var id: String
        var start: BorgTime
        var comment: String
        /// What Borg was called with.
        var commandLine: [String]?
    }
}

extension Archive {
    init(_ entry: ListDocument.Entry) {
        self.init(
            name: entry.name, id: entry.id, start: entry.start.timestamp,
            provenance: Provenance(comment: entry.comment) ?? entry.begunProvenance)
    }
}

extension ListDocument.Entry {
    /// A checkpoint has no comment yet: this is the one that the creation was called with.
    fileprivate var begunProvenance: Provenance? {
        guard comment.isEmpty, let commandLine, let option = commandLine.firstIndex(of: "--comment"),
            option + 1 < commandLine.count
        else { return nil }
        return Provenance(comment: commandLine[option + 1])
    }
}
