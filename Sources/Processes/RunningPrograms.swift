import Synchronization

/// The programs that run at this moment: what ends this process must leave them their time.
public enum RunningPrograms {
    private static let graces = Mutex<[UInt64: Duration]>([:])
    private static let next = Atomic<UInt64>(0)

    /// The longest time that one of them has between SIGTERM and SIGKILL. Nil when none runs.
    public static var longestGrace: Duration? { graces.withLock { $0.values.max() } }

    /// Counts a program for as long as `body` runs.
    static func counting<Result, Failure: Error>(
        _ program: Program, _ body: () async throws(Failure) -> Result
    ) async throws(Failure) -> Result {
        let number = next.add(1, ordering: .relaxed).newValue
        graces.withLock { $0[number] = program.grace }
        defer { graces.withLock { $0[number] = nil } }
        return try await body()
    }
}
