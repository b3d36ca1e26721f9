import DumpCore
import Logging
import Processes
import SystemPackage

extension BorgRepository {
    /// Extracts an archive, or what lies at some of its paths, into a directory that exists. Owners and permissions are as they were
    /// archived, by number, as far as our user may set them; long runs of zeros become holes.
    ///
    /// What Borg warns of is logged and is no error: whether the files are right is for the caller to verify. After a throw some of
    /// them may be there, whole or in part.
    ///
    /// - Parameter onProgress: told the bytes that are done.
    public func extract(
        _ archive: Archive, _ paths: [FilePath] = [], into directory: FilePath,
        onProgress: @escaping @Sendable (Int64) -> Void = { _ in }
    ) async throws(BorgError) {
        let outcome = try await run(
            ["extract", "--progress", "--numeric-ids", "--noflags", "--sparse", try await version().archive(archive)]
                + paths.map(\.exactly), in: directory,
            log: BorgLog { onProgress($0.bytes) })
        guard outcome.status == .exited(0) || outcome.status.isWarning else { throw failure(outcome, "extract") }
        guard !outcome.messages.warnings.isEmpty else { return }
        log.warning(
            "borg warns while it extracts",
            metadata: ["repository": "\(name)", "warnings": "\(outcome.messages.warnings)"])
    }

    /// How many bytes the files at a path of an archive have. A second name of a file does not count.
    public func bytes(of archive: Archive, at path: FilePath) async throws(BorgError) -> Int64 {
        let sizes = LineSum()
        let outcome = try await run(
            ["list", "--format", "{size}{NL}", try await version().archive(archive), path.exactly],
            output: .lines(sizes.add))
        try requireSuccess(outcome, "list")
        return sizes.sum
    }
}

extension FilePath {
    /// For Borg: this path and what is below it, whatever characters it holds.
    var exactly: String { "pp:" + string }
}
