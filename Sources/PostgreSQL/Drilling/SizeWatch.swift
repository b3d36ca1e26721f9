import DumpCore
import Linux
import SystemPackage

/// Ends work whose files come to take more than they may.
struct SizeWatch: Sendable {
    let directory: FilePath
    /// On disk.
    let limit: Int64

    /// What a restore writes in this time is little beside any sensible limit.
    private static let interval = Duration.milliseconds(500)

    /// Runs `work`, and cancels it once the limit is passed, which is the error then.
    func watching<Success: Sendable>(
        _ work: @escaping @Sendable () async throws(DumpError) -> Success
    ) async throws(DumpError) -> Success {
        let outcome = await withTaskGroup(of: Result<Success?, DumpError>.self) { group in
            group.addTask { await .awaiting { () throws(DumpError) in try await work() } }
            group.addTask { await .awaiting { () throws(DumpError) in try await watch() } }
            var first = await group.next()
            // The watch is cancelled with us, before the work has ended.
            if case .success(nil) = first { first = await group.next() }
            group.cancelAll()
            return first
        }
        guard let success = try outcome?.get() else { throw DumpError(.cancelled, "the drill was cancelled") }
        return success
    }

    /// Returns nil when it is cancelled.
    private func watch<Success>() async throws(DumpError) -> Success? {
        while true {
            let bytes = await onOwnThread { takenBytes() }
            guard bytes <= limit else {
                throw DumpError(
                    .noSpace,
                    "the copy takes \(formatBytes(bytes)) already, and a drill may take \(formatBytes(limit))",
                    hint: "Raise the drill's limit of space, or drill fewer databases at a time.")
            }
            do { try await Task.sleep(for: Self.interval) } catch { return nil }
        }
    }

    private func takenBytes() -> Int64 {
        var bytes: Int64 = 0
        // Files come and go meanwhile; the next look finds what this one misses.
        try? FileTree(directory).visitAll { entry throws(Errno) in bytes = bytes.plus(entry.status.allocatedBytes) }
        return bytes
    }
}
