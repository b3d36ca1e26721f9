import Glibc
import Synchronization

/// Cuts a stream of bytes into lines, as fast as they come.
struct LineSplitter {
    /// A line longer than this is delivered in pieces, so that no program can fill our memory.
    static let longestLine = 1024 * 1024
    private var rest: [UInt8] = []

    mutating func take(_ bytes: UnsafeRawBufferPointer, _ deliver: (String) -> Void) {
        var remaining = bytes[...]
        while let newline = remaining.firstIndexOfNewline {
            rest.append(contentsOf: remaining[..<newline])
            flush(deliver)
            remaining = remaining[(newline + 1)...]
        }
        rest.append(contentsOf: remaining)
        if rest.count > Self.longestLine { flush(deliver) }
    }

    /// Delivers a last line that has no end.
    mutating func finish(_ deliver: (String) -> Void) {
        if !rest.isEmpty { flush(deliver) }
    }

    private mutating func flush(_ deliver: (String) -> Void) {
        if rest.last == UInt8(ascii: "\r") { rest.removeLast() }
        deliver(String(decoding: rest, as: UTF8.self))
        rest.removeAll(keepingCapacity: true)
    }
}

extension Slice<UnsafeRawBufferPointer> {
    fileprivate var firstIndexOfNewline: Int? {
        guard !isEmpty, let start = base.baseAddress else { return nil }
        let first = start + startIndex
        return memchr(first, Int32(UInt8(ascii: "\n")), count).map { startIndex + first.distance(to: $0) }
    }
}

/// The last lines of a stream.
final class LineTail: Sendable {
    private let kept = Mutex<[String]>([])
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    func append(_ line: String) {
        kept.withLock { lines in
            lines.append(line)
            if lines.count > limit { lines.removeFirst() }
        }
    }

    var lines: [String] { kept.withLock { $0 } }
}
