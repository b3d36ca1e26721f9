import DumpCore
import Glibc
import SystemPackage
import Testing

/// A hundred servers and Borgs at once on two cores would only wait for each other, so the tests that start them take turns.
///
/// How long each had its turn is appended to the file that `MUSTER_TEST_TIMES` names, for `.ci/slowest`. Results of Swift Testing count from
/// when a test was queued.
public enum Turn {
    private static let slots = WorkSlots(capacity: 6)
    /// A test that has its turn may ask again: waiting for each other, such tests would wait for ever.
    @TaskLocal private static var isTaken = false

    public static func take<Result>(_ work: () async throws -> Result) async throws -> Result {
        guard !isTaken else { return try await work() }
        let grant = try await slots.acquire(1, weight: 0)
        let outcome: Swift.Result<Result, any Error>
        let start = ContinuousClock.now
        do {
            outcome = .success(try await $isTaken.withValue(true) { try await work() })
        } catch {
            outcome = .failure(error)
        }
        await slots.release(grant)
        try note(ContinuousClock.now - start)
        return try outcome.get()
    }

    private static func note(_ duration: Duration) throws {
        guard let path = getenv("MUSTER_TEST_TIMES"), let test = Test.current else { return }
        let times = try FileDescriptor.open(
            FilePath(String(cString: path)), .writeOnly, options: [.create, .append, .closeOnExec],
            permissions: .ownerReadWrite)
        let line =
            "\(duration.components.seconds).\(duration.components.attoseconds / 100_000_000_000_000_000) \(test.id)\n"
        try times.closeAfter { _ = try times.writeAll(line.utf8) }
    }
}
