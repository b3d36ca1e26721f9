import Checksums
import Documents
import DumpCore
import Linux
import SystemPackage

extension Sealing {
    /// The manifest, then everything to disk.
    func writeDown(
        _ lists: [ListInWriting.WrittenList], _ files: DigestReader
    ) throws(StagingError) -> (set: SealedSet, files: SealedFiles) {
        StopPoint.passing("seal.checksums")
        let manifest = makeManifest(lists)
        try requireReadable(manifest)
        let bytes = try attempting(to: "encode", manifestPath) { try SnakeCaseJSON.encode(manifest) }
        try SmallFile(manifestPath).create(bytes)
        let digest = try attempting(to: "hash", manifestPath) { try sha256(of: bytes) }
        var listed = try listEntries(expecting: files, manifestSHA256: digest)
        try makeManifestNewer(than: listed.newest)
        StopPoint.passing("seal.manifest")
        try incoming.flushPoint.flush(listed.bytes)
        return (
            SealedSet(root: incoming.root, manifest: manifest, manifestSHA256: digest, files: listed.files),
            try attempting(to: "write in", incoming.lock.area.incoming) { try listed.states.finish() }
        )
    }

    private func makeManifest(_ lists: [ListInWriting.WrittenList]) -> Manifest {
        let moments = dumps.map(\.summary.moment)
        return Manifest(
            tool: facts.tool, job: facts.job, runID: incoming.lock.run, host: facts.host, startedAt: facts.startedAt,
            endedAt: .now,
            // There is at least one dump, see `requireAllThere`.
            freeze: .init(from: moments.map(\.from).min()!, to: moments.map(\.to).max()!),
            dumps: zip(dumps, lists).map { dump, list in
                .init(dump, bytes: list.bytes, files: list.files, checksums: list.checksums)
            })
    }

    /// What Muster would refuse to read, it does not write.
    private func requireReadable(_ manifest: Manifest) throws(StagingError) {
        do throws(ManifestFault) {
            try manifest.requireWellFormed()
        } catch {
            throw StagingError(
                .incompleteSet, "the set cannot be described: its manifest \(error.message)",
                hint: "Find out what is odd about the dump, such as a file of an impossible size.")
        }
    }

    /// Borg never caches the newest file of an archive: that should be a small one.
    private func makeManifestNewer(than newest: Int64) throws(StagingError) {
        try attempting(to: "set the time of", manifestPath) {
            // Nanoseconds are lost by some tools, and everything below one or two seconds by some file systems.
            for step: Int64 in [1_000_000, 1_000_000_000, 2_000_000_000] {
                // What is dated at the end of all times stays the newest.
                guard try FileSystem.status(of: manifestPath).modified <= newest,
                    FileStatus.times.contains(newest &+ step)
                else { return }
                try FileSystem.setModified(manifestPath, to: newest + step)
            }
        }
    }

    private var manifestPath: FilePath { incoming.root.appending(SetLayout.manifest) }
}

extension Manifest.DumpRecord {
    fileprivate init(_ dump: FinishedDump, bytes: Int64, files: Int, checksums: Manifest.Checksums) {
        let summary = dump.summary
        self.init(
            name: dump.name, provider: dump.provider, path: SetLayout.directory(ofDump: dump.name).string,
            identity: Dictionary(summary.identity.map { ($0.name, $0.value) }) { first, _ in first },
            moment: summary.moment, durationSeconds: dump.durationSeconds, bytes: bytes, files: files,
            findings: summary.findings, omissions: summary.omissions, checksums: checksums,
            databases: summary.databases, cluster: summary.cluster, tree: summary.tree)
    }
}
