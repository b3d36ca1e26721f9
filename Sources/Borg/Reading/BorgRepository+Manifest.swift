import Checksums
import DumpCore
import Staging
import SystemPackage

extension BorgRepository {
    /// The manifest in an archive: what dumps and databases it holds. Throws `.notFaithful` if it is not the one that the archive's
    /// comment vouches for, or could not be any of Muster's, and `.newerFormat`.
    public func manifest(of archive: Archive) async throws(BorgError) -> Manifest {
        guard archive.provenance != nil,
            let bytes = try await manifestBytes(in: try await version().archive(archive))
        else {
            throw BorgError(
                .archiveMissing, "archive '\(archive.name)' in repository '\(name)' holds no manifest",
                hint: "It was not made by Muster: look into it with muster borg \(name) -- list ::\(archive.name)")
        }
        return try manifest(of: archive, bytes)
    }

    /// The same, of bytes that were read out of the archive by now.
    public func manifest(of archive: Archive, _ bytes: [UInt8]) throws(BorgError) -> Manifest {
        guard let provenance = archive.provenance, let digest = try? sha256(of: bytes),
            digest == provenance.manifestSHA256
        else {
            throw unfaithful(
                archive,
                UnfaithfulFile(path: "manifest.json", found: "not the one that the archive's comment vouches for"))
        }
        do {
            return try Manifest.decode(bytes)
        } catch {
            throw BorgError(
                error.kind == .newer ? .newerFormat : .notFaithful,
                "the manifest in archive '\(archive.name)' of repository '\(name)' \(error.message)",
                hint: error.hint ?? unverifiedHint(archive), context: error.context, underlying: error)
        }
    }

    /// Nil if the archive has no file of that name.
    ///
    /// - Parameter archive: as an argument of Borg's.
    func manifestBytes(
        in archive: String, lockWait: Duration? = nil
    ) async throws(BorgError) -> [UInt8]? {
        let outcome = try await run(
            ["extract", "--stdout", archive, "manifest.json"], lockWait: lockWait,
            output: .collect(limit: Self.largestManifest))
        if outcome.status.isWarning, outcome.output.isEmpty { return nil }
        try requireSuccess(outcome, "extract")
        return outcome.output
    }

    private func unfaithful(_ archive: Archive, _ file: UnfaithfulFile) -> BorgError {
        BorgError(
            .notFaithful, "\(file.path) in archive '\(archive.name)' of repository '\(name)' is \(file.found)",
            hint: unverifiedHint(archive))
    }

    private func unverifiedHint(_ archive: Archive) -> String {
        "Nothing in it can be verified. Take another archive, or what is there unverified: "
            + "muster borg \(name) -- extract ::\(archive.name)"
    }

    private static var largestManifest: Int { 4 * Manifest.mostBytes }
}
