import Glibc

/// Named places between two steps at which a test stops the process, to kill it there and look at what it left.
///
/// With `MUSTER_STOP_AT=publish.exchanged` in the environment the process sends itself SIGSTOP when it comes by that place.
/// Without it, which is always the case outside tests, passing one costs a comparison.
public enum StopPoint {
    private static let wanted: String? = getenv("MUSTER_STOP_AT").map { String(cString: $0) }

    public static func passing(_ name: @autoclosure () -> String) {
        guard let wanted, wanted == name() else { return }
        // To this thread: sent to the process, another thread may take it while this one runs on.
        raise(SIGSTOP)
    }
}
