import DumpCore
import Synchronization

/// Takes Borg's log line by line as it comes and keeps what decides: little, however much Borg says.
final class BorgLog: Sendable {
    private let kept = Mutex(BorgMessages())
    private let onProgress: @Sendable (ArchiveProgress) -> Void

    init(onProgress: @escaping @Sendable (ArchiveProgress) -> Void = { _ in }) { self.onProgress = onProgress }

    var messages: BorgMessages { kept.withLock { $0 } }

    func take(_ line: String) {
        for line in BorgLogLine.all(in: line) {
            kept.withLock { $0.take(line) }
            switch line {
            case .progress(let progress?): onProgress(progress)
            case .extracted(let bytes): onProgress(ArchiveProgress(bytes: bytes, files: 0))
            default: break
            }
        }
    }
}

/// What Borg said.
struct BorgMessages: Sendable {
    /// The id of the last error that has one.
    private(set) var errorID: String?
    /// Warnings that concern files, and lines that may have been such.
    private(set) var warnings = Excerpt()
    /// Files that Borg found changed or unreadable, each behind its letter.
    private(set) var troubledFiles = Excerpt()
    /// Whether a create came as far as its first file. Before that there is no archive to be left behind.
    private(set) var createBegan = false
    /// How far a create has come.
    private(set) var progress: ArchiveProgress?
    /// Whether an error was reported, with or without an id.
    private(set) var hasErrors = false
    /// What a compaction says it has freed.
    private(set) var freedBytes: Int64?
    /// The last error of Python's that Borg did not expect.
    private(set) var traceback: BorgTraceback?
    /// What the operating system refused, by Borg's last error that says so.
    private(set) var systemFault: SystemFault?
    /// For people: warnings, errors, and what is no JSON, the last of them.
    private(set) var lastLines: [String] = []
    /// What ssh and the server's shell said, which Borg passes on behind `Remote: `: without that.
    private(set) var fromServer: [String] = []
    private var printed = PrintedTraceback()

    mutating func take(_ line: BorgLogLine) {
        switch line {
        case .progress(let progress):
            createBegan = true
            self.progress = progress ?? self.progress
        case .file(let status, let path):
            if status == "C" || status == "E" { troubledFiles.add("\(status) \(path)") }
        case .message(let message): take(message)
        case .question(let text): keep(text)
        case .text(let text): take(printed: text)
        case .unreadable(let text):
            warnings.add(text)
            keep(text)
        case .extracted, .other: break
        }
    }

    private mutating func take(_ message: BorgLogLine.Message) {
        if message.level == "WARNING", message.logger == "borg.archiver" { warnings.add(message.text) }
        freedBytes = message.freedBytes ?? freedBytes
        if message.text.hasPrefix(Self.remote) {
            fromServer = (fromServer + [String(message.text.dropFirst(Self.remote.count))]).suffix(20)
        } else if message.level == "ERROR" || message.level == "CRITICAL" {
            errorID = message.id ?? errorID
            hasErrors = true
            systemFault = SystemFault(in: message.text) ?? systemFault
        }
        if ["WARNING", "ERROR", "CRITICAL"].contains(message.level) { keepWords(of: message) }
    }

    private static let remote = "Remote: "

    /// A traceback is reported by its exception, unless that repeats what was said before.
    private mutating func keepWords(of message: BorgLogLine.Message) {
        guard let traceback = BorgTraceback(in: message.text) else {
            // What it was stands in the traceback after it.
            return message.text == "Local Exception" ? () : keep(message.text)
        }
        note(traceback)
    }

    private mutating func note(_ traceback: BorgTraceback) {
        self.traceback = traceback
        systemFault = SystemFault(in: traceback.exception) ?? systemFault
        let words =
            traceback.exception.split(atASCII: ":", maxSplits: 1).last.map { String($0.drop { $0 == " " }) } ?? ""
        if lastLines.last?.contains(words) != true { keep(traceback.exception) }
    }

    private mutating func take(printed text: String) {
        switch printed.take(text) {
        case .no: if text != "Local Exception" { keep(text) }
        case .part, .ignored: break
        case .whole(let traceback): note(traceback)
        }
    }

    private mutating func keep(_ text: String) {
        // A server describes itself at length below each of its errors.
        let lines = text.split(atASCII: "\n").filter { !$0.hasPrefix("Borg server: ") }
        lastLines += lines.map { String($0.prefix(500)) }
        lastLines = lastLines.suffix(12)
    }
}

/// How many there were, and the first few.
struct Excerpt: Sendable, Equatable {
    private(set) var count = 0
    private(set) var first: [String] = []

    var isEmpty: Bool { count == 0 }

    mutating func add(_ text: String) {
        count += 1
        if first.count < 5 { first.append(String(text.prefix(500))) }
    }

    mutating func add(_ others: Excerpt) {
        count += others.count
        first = Array((first + others.first).prefix(5))
    }
}

extension Excerpt: CustomStringConvertible {
    /// `C app/x; E app/y; and 3 more`.
    var description: String {
        let more = count > first.count ? ["and \(count - first.count) more"] : []
        return (first + more).joined(separator: "; ")
    }
}
