import Synchronization

/// The signal that asked this process to stop, for those who have to say how it ended.
public enum StopRequest {
    private static let received = Atomic<Int32>(0)

    /// The first one, or nil while there was none.
    public static var signal: Int32? {
        let value = received.load(ordering: .acquiring)
        return value == 0 ? nil : value
    }

    /// Notes a signal. Returns whether it is the first.
    public static func note(_ signal: Int32) -> Bool {
        received.compareExchange(expected: 0, desired: signal, ordering: .acquiringAndReleasing).exchanged
    }
}
