import DumpCore
import Synchronization

/// Adds up numbers that come one on a line.
final class LineSum: Sendable {
    private let total = Mutex<Int64>(0)

    var sum: Int64 { total.withLock { $0 } }

    @Sendable func add(_ line: String) { total.withLock { $0 = $0.plus(max(0, Int64(line) ?? 0)) } }
}
