import DumpCore
import Staging

extension BorgRepository {
    /// The manifest in an archive: what dumps and databases it holds.
    public func manifest(of archive: String) async throws(BorgError) -> Manifest {
        guard let bytes = try await manifestBytes(of: archive) else {
            throw BorgError(
                .archiveMissing, "archive '\(archive)' in repository '\(name)' holds no manifest",
                hint: "It was not made by Muster: look into it with borg list.")
        }
        do {
            return try SnakeCaseJSON.decode(Manifest.self, from: bytes)
        } catch {
            throw BorgError(
                .failed, "the manifest in archive '\(archive)' of repository '\(name)' cannot be understood",
                hint: "It may be of a newer Muster.", context: ["reason": "\(error)"], underlying: error)
        }
    }

    /// Nil if the archive has no file of that name.
    func manifestBytes(of archive: String) async throws(BorgError) -> [UInt8]? {
        let outcome = try await run(
            ["extract", "--stdout", try await version().archive(archive), "manifest.json"],
            output: .collect(limit: Self.largestManifest))
        if outcome.status.isWarning, outcome.output.isEmpty { return nil }
        try requireSuccess(outcome, "extract")
        return outcome.output
    }

    private static var largestManifest: Int { 256 * 1024 * 1024 }
}
