import DumpCore
import Glibc
import Linux
import Logging
import Synchronization
import SystemPackage

/// What a person or a script sees: results on standard output; log, errors and live progress on standard error.
///
/// Live lines stand at the bottom of the terminal. Anything else that is written takes them away first and puts them back after.
final class Console: Sendable {
    static let shared = Console()

    let isTerminal = isatty(STDERR_FILENO) == 1
    /// What stands at the bottom of the terminal now.
    private let live = Mutex<[String]>([])
    private let lost = Mutex<Errno?>(nil)
    private let told = Mutex(false)
    private let kept = Mutex<[String]>([])
    private let journal = SystemJournal.ofStandardError
    private let subject = Mutex<[SystemJournal.Field]>([])

    /// Why a result has not arrived where standard output leads; nil if all have.
    var lostResult: Errno? { lost.withLock { $0 } }

    /// Whether standard output got anything.
    var hasResult: Bool { told.withLock { $0 } }

    /// Whether lines can be drawn and taken away again.
    var canDraw: Bool { isTerminal && Self.terminalName != "" && Self.terminalName != "dumb" }

    private static let terminalName = getenv("TERM").map { String(cString: $0) } ?? ""

    /// Names and words of others are put on a line each before; here no more than line ends get through.
    ///
    /// - Parameter exactly: for a format that quotes names by its own rules. On a terminal it is made legible all the same.
    func result(_ text: String, exactly: Bool = false) {
        told.withLock { $0 = true }
        let shown =
            exactly && isatty(STDOUT_FILENO) == 0 ? text : forPeople(text.legible, on: STDOUT_FILENO)
        let failure =
            StartingConditions.wasClosed(STDOUT_FILENO)
            ? .badFileDescriptor : write(shown + "\n", to: STDOUT_FILENO)
        if let failure { lost.withLock { $0 = $0 ?? failure } }
    }

    /// A question, with the cursor behind it.
    func prompt(_ text: String) { write(text.legible, to: STDERR_FILENO) }

    func error(_ text: String) { plainError("muster: " + text, [.milestone(.failed)]) }

    /// - Parameter fields: of its entry, where standard error leads to the journal.
    func plainError(_ text: String, _ fields: [SystemJournal.Field] = []) {
        logLine(text.legible, .error, fields, elsewhere: "")
    }

    /// An entry of the journal, or a line.
    ///
    /// - Parameter prefix: of the line on a terminal or in a file. The journal, where it takes no entry, reads the level from the line.
    func logLine(_ text: String, _ level: Logger.Level, _ fields: [SystemJournal.Field], elsewhere prefix: String) {
        let priority = level.priority
        guard let journal else { return line(prefix + text) }
        let entry = [
            SystemJournal.Field("MESSAGE", text), SystemJournal.Field("PRIORITY", "\(priority)"),
            SystemJournal.Field("SYSLOG_IDENTIFIER", "muster"),
        ]
        if !journal.write(entry + subject.withLock(\.self) + fields) { line("<\(priority)>\(text)") }
    }

    private func line(_ text: String) { write(forPeople(text, on: STDERR_FILENO) + "\n", to: STDERR_FILENO) }

    /// On a terminal: lines are broken between words, and what matters most has a colour.
    private func forPeople(_ text: String, on descriptor: Int32) -> String {
        guard let width = Self.size(of: descriptor)?.columns else { return text }
        return Emphasis.coloured(text.wrapped(to: width), on: descriptor)
    }

    /// Whether a person looks on, and reads at the end what became of it.
    var isWatched: Bool { isTerminal && isatty(STDOUT_FILENO) == 1 }

    /// Whether results and log go to one place other than a terminal, such as the journal or a log file. That place need not have
    /// everything twice.
    let isOneRecord: Bool = {
        guard isatty(STDOUT_FILENO) == 0, let one = try? FileSystem.status(of: FileDescriptor(rawValue: STDOUT_FILENO)),
            let other = try? FileSystem.status(of: FileDescriptor(rawValue: STDERR_FILENO))
        else { return false }
        return (one.device, one.inode) == (other.device, other.inode)
    }()

    /// Keeps a warning for the end, where `takeKept` tells it.
    func keep(_ warning: String) { kept.withLock { $0.append(warning) } }

    /// The warnings that were kept, each once, in their order.
    func takeKept() -> [String] {
        kept.withLock { kept in
            defer { kept = [] }
            return kept.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
        }
    }

    /// What the journal's entries are about from now on.
    func isAbout(job: String, run: String? = nil) {
        subject.withLock {
            $0 = [SystemJournal.Field("MUSTER_JOB", job)] + (run.map { [SystemJournal.Field("MUSTER_RUN", $0)] } ?? [])
        }
    }

    /// Replaces the live lines, in one write, so that nothing flickers.
    func show(_ lines: [String]) {
        live.withLock { live in
            guard !live.isEmpty || !lines.isEmpty else { return }
            let lines = lines.map(\.onOneLine)
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

    @discardableResult
    private func write(_ text: String, to descriptor: Int32) -> Errno? {
        live.withLock { live in
            if !live.isEmpty { put(up(over: live) + Self.eraseBelow, to: STDERR_FILENO) }
            let failure = put(text, to: descriptor)
            if !live.isEmpty { put(drawn(live), to: STDERR_FILENO) }
            return failure
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

    /// Nil when all of it is written. Failures to write to standard error cannot be reported.
    @discardableResult
    private func put(_ text: String, to descriptor: Int32) -> Errno? {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            guard hasRoom(descriptor) else { return .timedOut }
            // What a pipe with room takes without blocking.
            let count = min(bytes.count, Int(PIPE_BUF))
            let written = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, count) }
            if written < 0 && (errno == EINTR || errno == EAGAIN) { continue }
            guard written > 0 else { return Errno(rawValue: errno) }
            bytes = bytes.dropFirst(written)
        }
        return nil
    }

    /// Waits until something can be written, or fails at once. False when the reader holds up a run that was stopped.
    private func hasRoom(_ descriptor: Int32) -> Bool {
        var watched = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        while poll(&watched, 1, 200) <= 0 {
            if let time = SignalWait.timeSinceSignal, time > .seconds(2) { return false }
        }
        return true
    }
}
