import Catalog
import DumpCore
import Linux
import Reporting
import Staging
import SystemPackage

/// The fetching of a drill's dumps, while the first server is made. The caller that begins it awaits its end.
actor DrillFetching {
    private let room: FetchRoom
    private let work: Task<(FetchedSet, Fetched, ContinuousClock.Instant), any Error>
    private(set) var whenFetched: ContinuousClock.Instant?

    /// - Parameter room: of the drill; the files get one of their own in it.
    init(_ parts: [SetPart], of source: RestoreSource, in room: FetchRoom, by means: RestoreMeans) throws {
        let inner = try FetchRoom(in: room.path)
        self.room = inner
        work = Task {
            let (set, fetched) = try await source.fetch(parts, into: inner, by: means)
            return (set, fetched, .now)
        }
    }

    nonisolated func cancel() { work.cancel() }

    /// Returns when nothing is fetched any longer.
    func end() async { _ = await work.result }

    func fetched() async throws -> Fetched { try await work.value.1 }

    /// The manifest of what was fetched.
    nonisolated func manifest() throws -> [UInt8] {
        try SmallFile(room.path.appending("manifest.json")).read() ?? []
    }

    /// Where a dump is, once it is there and verified.
    func directory(of dump: Manifest.DumpRecord) async throws(DumpError) -> FilePath {
        do {
            let (set, _, end) = try await withTaskCancellationHandler { [work] in
                try await work.value
            } onCancel: { [work] in
                work.cancel()
            }
            whenFetched = end
            return set.directory(of: dump)
        } catch {
            guard !Task.isCancelled else { throw DumpError(.cancelled, "the drill was cancelled", underlying: error) }
            throw DumpError(.sourceUnavailable, error.forOperator)
        }
    }
}
