import DumpCore
import Glibc
import Linux
import SystemPackage

/// Where the page is written to. A reader finds the old page or the new one, never a part of one.
///
/// Mode 0644, because a web server is to read it. It holds names of jobs, databases, files and archives, and messages of errors; it never holds
/// a secret, because no record does. Who may not read these names is kept out by the directory.
public struct ReportFile: Sendable {
    private let path: FilePath

    public init(_ path: FilePath) { self.path = path }

    public func write(_ html: String) async throws(ReportFileError) {
        let path = path
        do {
            try await onOwnThread { try Self.replace(path, Array(html.utf8)) }
        } catch {
            throw ReportFileError(path, error)
        }
    }

    private static func replace(_ path: FilePath, _ bytes: [UInt8]) throws {
        let draft = FilePath(".muster-\(UInt64.random(in: .min ... .max))")
        try PublicFile.replace(path, holding: bytes, draft: draft)
    }
}

/// The page could not be written, or not be made.
public struct ReportFileError: OperatorError {
    public let codeName = "report_not_written"
    public let message: String
    public let hint: String?
    public let context: ErrorContext = [:]

    init(_ path: FilePath, _ error: any Error) {
        message = "cannot write the report page to \(path): \(error)"
        hint =
            switch error as? Errno {
            case Errno.noSuchFileOrDirectory: "Create its directory: mkdir -p \(path.removingLastComponent())"
            case Errno.noSpace: "Make room on its file system, or name another file."
            case Errno.fileExists: "Something other than a file has that name. Name another file."
            default: "Check that its directory exists and that this user may write to it, or name another file."
            }
    }
}
