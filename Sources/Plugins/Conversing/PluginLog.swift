import Synchronization

/// The last lines that a plugin's program has printed, for an error of a program that never comes to its end.
final class PluginLog: Sendable {
    private let kept = Mutex<[String]>([])

    /// As many as are kept of a program that ends.
    private static let most = 20

    func append(_ line: String) {
        kept.withLock { lines in
            lines.append(line)
            if lines.count > Self.most { lines.removeFirst() }
        }
    }

    var text: String { kept.withLock { $0.joined(separator: "\n") } }
}
