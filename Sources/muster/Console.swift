import DumpCore
import Glibc
import Pipeline
import Synchronization

/// What a person or a script sees: results on standard output; log, errors and live progress on standard error.
///
/// Live lines stand at the bottom of the terminal. Anything else that is written takes them away first and puts them back after.
final class Console: ProgressDisplay, Sendable {
    static let shared = Console()

    private struct State {
        var live: [String] = []
        var quiet = false
    }

    let isTerminal = isatty(STDERR_FILENO) == 1
    private let state = Mutex(State())

    var isLive: Bool { isTerminal && !state.withLock { $0.quiet } }

    /// No progress from now on.
    func beQuiet() { state.withLock { $0.quiet = true } }

    func result(_ text: String) {
        state.withLock { state in
            clear(state)
            put(text + "\n", to: STDOUT_FILENO)
            draw(state)
        }
    }

    func error(_ text: String) { plainError("muster: " + text) }

    func plainError(_ text: String) {
        state.withLock { state in
            clear(state)
            put(text + "\n", to: STDERR_FILENO)
            draw(state)
        }
    }

    func show(_ lines: [ProgressLine]) {
        guard isLive else { return }
        state.withLock { state in
            clear(state)
            state.live = lines.map { $0.rendered(width: width) }
            draw(state)
        }
    }

    private func clear(_ state: State) {
        // Up by as many lines as are shown, then erase to the end of the screen.
        if !state.live.isEmpty { put("\u{1B}[\(state.live.count)A\u{1B}[J", to: STDERR_FILENO) }
    }

    private func draw(_ state: State) {
        if !state.live.isEmpty { put(state.live.map { $0 + "\n" }.joined(), to: STDERR_FILENO) }
    }

    private var width: Int {
        var size = winsize()
        return ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 20 ? Int(size.ws_col) : 80
    }

    private func put(_ text: String, to descriptor: Int32) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let written = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if written < 0 && errno == EINTR { continue }
            // Nobody reads any more; there is nobody left to tell.
            guard written > 0 else { return }
            bytes = bytes.dropFirst(written)
        }
    }
}

extension ProgressLine {
    /// Such as `app shop  [########------------]  512 MiB of 1.20 GiB`, cut to the terminal's width.
    func rendered(width: Int) -> String {
        let sizes = expectedBytes > 0 ? "\(formatBytes(bytes)) of ~\(formatBytes(expectedBytes))" : formatBytes(bytes)
        let name = label.count > 30 ? label.prefix(29) + "…" : label + String(repeating: " ", count: 30 - label.count)
        return String("\(name) \(bar)  \(sizes)".prefix(width - 1))
    }

    private var bar: String {
        guard expectedBytes > 0 else { return String(repeating: "·", count: 20) }
        // The estimate is one: a dump that outgrows it does not outgrow the bar.
        let filled = Int(20 * min(1, Double(bytes) / Double(expectedBytes)))
        return "[" + String(repeating: "#", count: filled) + String(repeating: "-", count: 20 - filled) + "]"
    }
}
