import DumpCore

/// How large a database has grown while it is filled, as its progress.
struct RestoredSize: Sendable {
    let database: RestoringDatabase
    let target: RestoreTarget
    let expected: Int64

    private static let interval = Duration.seconds(1)

    /// Tells the size again and again for as long as `body` runs.
    func shown<Result: Sendable>(
        in run: RunContext, _ body: () async throws(DumpError) -> Result
    ) async throws(DumpError) -> Result {
        let watching = Task { await watch(in: run) }
        return try await withCleanup(body) {
            watching.cancel()
            await watching.value
        }
    }

    /// Ends when it is cancelled, or when the server no longer answers: pg_restore says why.
    private func watch(in run: RunContext) async {
        _ = await Result.awaiting { () async throws(DumpError) in
            try await target.reading { session throws(DumpError) in
                while !Task.isCancelled {
                    let row = try await session.row(
                        """
                        select (select pg_database_size(oid) from pg_database where datname = $1) as bytes
                        """, [database.fresh])
                    let bytes = try row.optionalInteger("bytes") ?? 0
                    await run.progress.moved(
                        unit, of: run.dump, to: UnitProgress(bytes: bytes, expectedBytes: max(expected, bytes)))
                    // Cancelled: the work has ended.
                    guard (try? await Task.sleep(for: Self.interval)) != nil else { return }
                }
            }
        }
    }

    var unit: WorkUnit { database.unit }
}

extension RestoringDatabase {
    /// Largest first, as far as the run knows.
    var unit: WorkUnit { WorkUnit(name: dumped.name, path: dumped.path, estimatedBytes: bytes) }
}
