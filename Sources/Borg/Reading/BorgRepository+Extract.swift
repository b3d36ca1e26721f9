import DumpCore
import Linux
import Logging
import Processes
import SystemPackage

extension BorgRepository {
    /// Has Borg write an archive, or what is at some of its paths, as a tar stream, and hands that to `receive`.
    ///
    /// Borg itself makes no file. What Borg would write, and where, depends on its version: before 1.4.5 it follows links in the archive.
    /// It also depends on what a server sends this time. Borg's warnings are logged and are not errors: the caller verifies that all is
    /// there.
    ///
    /// - Parameters:
    ///   - tellsWarnings: false where paths are guessed.
    ///   - onProgress: told the bytes that are done.
    ///   - receive: called once, on a thread of its own. When it throws, Borg is stopped.
    public func export<Received: Sendable>(
        _ archive: Archive, _ paths: [FilePath] = [], tellsWarnings: Bool = true,
        onProgress: @escaping @Sendable (Int64) -> Void = { _ in },
        to receive: @escaping @Sendable (inout TarReader) throws -> Received
    ) async throws -> Received {
        let version = try await version()
        let (read, write) = try pipe()
        async let receiving = onOwnThread { () -> Result<Received, any Error> in
            // Without a reader, Borg ends at its next byte.
            defer { try? read.close() }
            return Result {
                var reader = TarReader(read)
                return try receive(&reader)
            }
        }
        let exported = await Result.awaiting { () async throws(BorgError) in
            try await run(
                ["export-tar", "--progress", version.archive(archive), "-"] + paths.map(\.exactly),
                output: .file(write), log: BorgLog { onProgress($0.bytes) })
        }
        // The last writer: now the reader comes to the end.
        try? write.close()
        let received = await receiving
        // Borg's own error says why the stream was cut off; our error why Borg was.
        if case .failure(let error) = received, error as? TarError != .cutOff { throw error }
        try check(exported.get(), tellsWarnings)
        return try received.get()
    }

    private func check(_ outcome: BorgOutcome, _ tellsWarnings: Bool) throws(BorgError) {
        guard outcome.status == .exited(0) || outcome.status.isWarning else { throw failure(outcome, "export-tar") }
        guard tellsWarnings, !outcome.messages.warnings.isEmpty else { return }
        log.warning(
            "borg warns while it extracts",
            metadata: ["repository": "\(name)", "warnings": "\(outcome.messages.warnings)"])
    }

    private func pipe() throws(BorgError) -> (read: FileDescriptor, write: FileDescriptor) {
        do {
            return try makePipe(isWide: true)
        } catch {
            throw BorgError(.failed, "cannot make a pipe: \(error)", underlying: error)
        }
    }

    /// How many bytes the files at some paths of an archive have. A second name of a file does not count.
    public func bytes(of archive: Archive, at paths: [FilePath]) async throws(BorgError) -> Int64 {
        let sizes = LineSum()
        let outcome = try await run(
            ["list", "--format", "{size}{NL}", try await version().archive(archive)] + paths.map(\.exactly),
            output: .lines(sizes.add))
        try requireSuccess(outcome, "list")
        return sizes.sum
    }
}

extension FilePath {
    /// For Borg: this path and what is below it, whatever characters it holds.
    var exactly: String { "pp:" + string }
}
