import DumpCore
import Linux
import Synchronization

/// How much has been copied, told as progress a few times a second.
final class ByteCounter: Sendable {
    private let bytes = Atomic<Int64>(0)

    func add(_ count: Int64) {
        SignOfLife.give()
        bytes.add(count, ordering: .relaxed)
    }

    func telling<Result: Sendable>(
        _ unit: WorkUnit, in run: RunContext, _ work: @escaping @Sendable () async throws(DumpError) -> Result
    ) async throws(DumpError) -> Result {
        let telling = Task {
            while !Task.isCancelled {
                // Ends the loop when it is cancelled.
                try await Task.sleep(for: .milliseconds(250))
                let progress = UnitProgress(bytes: bytes.load(ordering: .relaxed), expectedBytes: unit.estimatedBytes)
                await run.progress.moved(unit, of: run.dump, to: progress)
            }
        }
        defer { telling.cancel() }
        return try await work()
    }
}
