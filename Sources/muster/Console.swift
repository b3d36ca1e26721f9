import DumpCore
import Glibc
import Pipeline
import Synchronization

/// What a person or a script sees: results on standard output; log, errors and live progress on standard error.
///
/// Live lines stand at the bottom of the terminal. Anything else that is written takes them away first and puts them back after.
final class Console: Sendable {
    static let shared = Console()

    let isTerminal = isatty(STDERR_FILENO) == 1
    /// What stands at the bottom of the terminal now.
    private let live = Mutex<[String]>([])

    /// Whether lines can be drawn and taken away again.
    var canDraw: Bool { isTerminal && Self.terminalName != "" && Self.terminalName != "dumb" }

    private static let terminalName = getenv("TERM").map { String(cString: $0) } ?? ""

    func result(_ text: String) { write(text + "\n", to: STDOUT_FILENO) }

    func error(_ text: String) { plainError("muster: " + text) }

    func plainError(_ text: String) { write(text + "\n", to: STDERR_FILENO) }

    /// Replaces the live lines, in one write, so that nothing flickers.
    func show(_ lines: [String]) {
        live.withLock { live in
            guard !live.isEmpty || !lines.isEmpty else { return }
            put(up(over: live) + drawn(lines), to: STDERR_FILENO)
            live = lines
        }
    }

    /// The terminal's, or what it usually is.
    var size: (rows: Int, columns: Int) { Self.size(of: STDERR_FILENO) ?? (24, 80) }

    /// In columns, where results go to a terminal.
    var resultWidth: Int? { Self.size(of: STDOUT_FILENO)?.columns }

    private static func size(of descriptor: Int32) -> (rows: Int, columns: Int)? {
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else { return nil }
        return (Int(size.ws_row), Int(size.ws_col))
    }

    private func write(_ text: String, to descriptor: Int32) {
        live.withLock { live in
            if !live.isEmpty { put(up(over: live) + Self.eraseBelow, to: STDERR_FILENO) }
            put(text, to: descriptor)
            if !live.isEmpty { put(drawn(live), to: STDERR_FILENO) }
        }
    }

    /// To where the live lines begin. A terminal that became narrower has broken them.
    private func up(over lines: [String]) -> String {
        let width = size.columns
        let rows = lines.reduce(0) { $0 + max(1, ($1.columns + width - 1) / width) }
        return rows > 0 ? "\u{1B}[\(rows)A\r" : ""
    }

    /// Each line erases what stood behind it, the last what stood below. Without line wrap: a width that we take for another must
    /// not make two rows of one.
    private func drawn(_ lines: [String]) -> String {
        "\u{1B}[?7l" + lines.map { $0 + "\u{1B}[K\n" }.joined() + Self.eraseBelow + "\u{1B}[?7h"
    }

    /// From the second column on: erasing a whole screen at once makes tmux keep it as history.
    private static let eraseBelow = "\u{1B}[K\u{1B}[C\u{1B}[J\r"

    private func put(_ text: String, to descriptor: Int32) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let written = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written < 0 && errno == EINTR { continue }
            // Nobody reads any more; there is nobody left to tell.
            guard written > 0 else { return }
            bytes = bytes.dropFirst(written)
        }
    }
}
