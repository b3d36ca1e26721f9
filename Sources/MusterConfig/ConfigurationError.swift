import DumpCore
import Settings
import SystemPackage

/// Why a job file cannot be used: where it is not, or every mistake that it has.
public struct ConfigurationError: OperatorError, Sendable {
    public enum Code: String, Sendable {
        /// No job of that name.
        case notFound = "job_not_found"
        /// The file cannot be read.
        case unreadable = "job_unreadable"
        /// Other users can change the file.
        case exposed = "job_exposed"
        /// The file has mistakes, or a name that no job can have.
        case invalid = "job_invalid"
    }

    public var code: Code
    public var message: String
    public var hint: String?
    public var context: ErrorContext
    /// The file that the diagnostics are about.
    public var file: FilePath?
    /// In the order of their places in the file. Empty unless the file could be read and has mistakes.
    public var diagnostics: [Diagnostic]

    public var codeName: String { code.rawValue }

    init(_ code: Code, _ message: String, hint: String? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
        context = [:]
        diagnostics = []
    }

    init(file: FilePath, diagnostics: [Diagnostic]) {
        code = .invalid
        message = "\(file) has \(diagnostics.count == 1 ? "a mistake" : "\(diagnostics.count) mistakes")"
        context = [:]
        self.file = file
        self.diagnostics = diagnostics.sorted { ($0.mark, $0.message) < ($1.mark, $1.message) }
    }

    /// One block per mistake, `FILE:LINE:COLUMN: message` as compilers write it, so that editors find the place.
    public var description: String {
        guard let file, !diagnostics.isEmpty else { return summary }
        return diagnostics.map { diagnostic in
            "\(file):\(diagnostic.mark.line):\(diagnostic.mark.column): \(diagnostic.message)"
                + (diagnostic.hint.map { "\n  hint: \($0)" } ?? "")
        }.joined(separator: "\n")
    }

    private var summary: String { message + (hint.map { "\n  hint: \($0)" } ?? "") }
}
