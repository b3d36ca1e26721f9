import Documents
import DumpCore
import Staging

/// One line that Borg writes to standard error under `--log-json` (docs/internals/frontends.rst of Borg).
enum BorgLogLine: Equatable {
    /// A create is on its way. The last one has no numbers.
    case progress(ArchiveProgress?)
    /// An extract is on its way, so many bytes.
    case extracted(bytes: Int64)
    /// What became of one path, a letter: `C` changed while it was read, `E` could not be read.
    case file(status: String, path: String)
    case message(Message)
    case question(String)
    /// A kind of line that we have no use for.
    case other
    /// What is not JSON: errors in the command line, prompts, warnings of Python's.
    case text(String)
    /// What begins like JSON and is nothing that we understand. It may have been a warning.
    case unreadable(String)

    struct Message: Equatable, Sendable {
        /// `WARNING`, `ERROR` and so on.
        var level: String
        /// Who says it. Warnings about files come from `borg.archiver`; locks and ssh have other names.
        var logger: String
        var id: String?
        var text: String
    }

    /// The one or two things that a line holds: JSON may follow a prompt, which has no end of its own.
    static func all(in line: String) -> [BorgLogLine] {
        guard let start = line.firstRange(of: "{\"")?.lowerBound else { return [.text(line)] }
        let prompt = line[..<start]
        let json = BorgLogLine(json: String(line[start...]))
        guard !prompt.isEmpty else { return [json] }
        if case .unreadable = json { return [.text(line)] }
        return [.text(String(prompt)), json]
    }

    private init(json line: String) {
        guard let fields = try? SnakeCaseJSON.decode(Fields.self, from: Array(line.utf8)), let known = Self(fields)
        else {
            // Not dropped: the caller decides what an unreadable line means.
            self = .unreadable(line)
            return
        }
        self = known
    }

    private init?(_ fields: Fields) {
        switch fields.type {
        case "archive_progress": self = .progress(ArchiveProgress(fields))
        // Others count archives or directories. The last one has no numbers.
        case "progress_percent" where fields.msgid == "extract":
            self = fields.current.map { .extracted(bytes: max(0, Int64(nearest: $0))) } ?? .other
        case "file_status":
            guard let status = fields.status, let path = fields.path else { return nil }
            self = .file(status: status, path: path)
        case "log_message":
            guard let level = fields.levelname, let logger = fields.name, let text = fields.message else { return nil }
            self = .message(Message(level: level, logger: logger, id: fields.msgid, text: text))
        case "question_prompt": self = .question(fields.message ?? "")
        case nil: return nil
        default: self = .other
        }
    }

    fileprivate struct Fields: Decodable {
        var type: String?
        var message, levelname, name, msgid: String?
        var status, path: String?
        var originalSize: Int64?
        var nfiles: Int?
        var current: Double?
    }
}

/// How far a create has come.
public struct ArchiveProgress: Sendable, Hashable {
    /// Bytes read, or found to be in the repository already.
    public var bytes: Int64
    /// Files done.
    public var files: Int

    public init(bytes: Int64, files: Int) {
        self.bytes = bytes
        self.files = files
    }

    fileprivate init?(_ fields: BorgLogLine.Fields) {
        guard let bytes = fields.originalSize, let files = fields.nfiles else { return nil }
        self.init(bytes: max(0, bytes), files: max(0, files))
    }
}
