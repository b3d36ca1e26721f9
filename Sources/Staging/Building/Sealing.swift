import Checksums
import DumpCore
import Linux
import SystemPackage

/// Turns the files of a run's dumps into a set: hashed, listed, described, on disk.
struct Sealing: Sendable {
    let incoming: IncomingSet
    let dumps: [FinishedDump]
    let facts: SetFacts

    /// A file of a dump, outside of its tree.
    struct File: Sendable {
        var dump: Int
        /// Relative to the set's root.
        var path: FilePath
        var status: FileStatus
        /// If the provider has read it.
        var digest: FileDigest?
        /// Where the current set has its counterpart, relative to the set's root: in the same place, or under another name.
        var formerPath: FilePath
        /// The digest that the current set has there.
        var formerSHA256: String?
    }

    struct Hash: Sendable {
        var digest: FileDigest
        var isReused = false
        /// Whether the current set has the file, and it is not what was sealed.
        var isFormerDamaged = false
    }

    init(of incoming: IncomingSet, dumps: [FinishedDump], facts: SetFacts) {
        self.incoming = incoming
        self.dumps = dumps.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        self.facts = facts
    }

    func perform() async throws(StagingError) -> UnpublishedSet {
        let sealing = self
        let pass = try await onOwnThread { () throws(StagingError) in
            try sealing.requireAllThere()
            return try HashPass(of: sealing)
        }
        let hashed = try await hashAll(pass)
        StopPoint.passing("seal.hashed")
        guard !Task.isCancelled else { throw .stopped }
        let sealed = try await onOwnThread { () throws(StagingError) in
            try sealing.noting(hashed.damaged).writeDown(hashed.lists, pass.sealed.sorted())
        }
        let linked = dumps.map(\.summary.linked)
        return UnpublishedSet(
            set: sealed.set,
            reuse: Reuse(
                files: linked.reduce(hashed.reuse.files) { $0 + $1.files },
                bytes: linked.reduce(hashed.reuse.bytes) { $0 + $1.bytes }, hindrance: hashed.reuse.hindrance),
            files: sealed.files,
            lock: incoming.lock)
    }

    private func hashAll(_ pass: HashPass) async throws(StagingError) -> HashPass.Result {
        while true {
            let files = try await onOwnThread { () throws(StagingError) in try pass.nextBatch() }
            guard !files.isEmpty else { break }
            let hashes = try await hash(files)
            try await onOwnThread { () throws(StagingError) in try pass.list(files, hashes) }
        }
        return try await onOwnThread { () throws(StagingError) in try pass.finish() }
    }

    /// In the files' order.
    private func hash(_ files: [File]) async throws(StagingError) -> [Hash] {
        let former = FormerFiles(area: incoming.lock.area)
        // Largest first, so that no worker is left alone with a large one at the end.
        let order = files.indices.sorted { files[$0].status.bytes > files[$1].status.bytes }
        let hashes = try await FileWorkers.forEach(order) { (index, stop) throws(StagingError) in
            try hash(files[index], number: index, former, until: stop)
        }
        return zip(order, hashes).sorted { $0.0 < $1.0 }.map(\.1)
    }

    private func hash(
        _ file: File, number: Int, _ former: FormerFiles, until stop: StopSign
    ) throws(StagingError) -> Hash {
        let digest = try digest(of: file, until: stop)
        let outcome = try former.reuse(file, number: number, digest, in: incoming.root, until: stop)
        if case .reused(let old) = outcome { return Hash(digest: old, isReused: true) }
        var hash = Hash(digest: try former.distinguish(file, digest, in: incoming.root))
        if case .keptForDamage = outcome { hash.isFormerDamaged = true }
        return hash
    }

    /// With findings about the current set.
    ///
    /// - Parameter damaged: of each dump.
    private func noting(_ damaged: [DamagedFiles]) -> Sealing {
        var (dumps, damaged) = (dumps, damaged)
        if isFormerManifestDamaged { damaged[0].add(FilePath(root: nil, [SetLayout.manifest])) }
        for (place, damaged) in damaged.enumerated() {
            let known = dumps[place].summary.findings
            dumps[place].summary.findings += damaged.findings.filter { !known.contains($0) }
        }
        return Sealing(of: incoming, dumps: dumps, facts: facts)
    }

    /// Whether there is a set of which nothing is known.
    private var isFormerManifestDamaged: Bool {
        let area = incoming.lock.area
        guard dumps.allSatisfy({ $0.formerListSHA256 == nil }), (try? area.exists(area.current)) == true else {
            return false
        }
        do throws(StagingError) {
            _ = try SetHead(of: area.current)
            return false
        } catch {
            // A newer Muster wrote it.
            return error.code != .newerFormat
        }
    }

    private func digest(of file: File, until stop: StopSign) throws(StagingError) -> FileDigest {
        if let digest = file.digest { return digest }
        return try FileScan(incoming.root.pushing(file.path)).digest(until: stop)
    }
}
