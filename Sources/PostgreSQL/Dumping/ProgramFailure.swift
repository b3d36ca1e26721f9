import DumpCore
import Linux
import Processes
import Synchronization
import SystemPackage

/// Makes an error of a program that ended badly.
struct ProgramFailure: Sendable {
    var tool: Client.Tool
    /// What it worked on, such as `database 'shop'`.
    var subject: String
    /// Where it wrote.
    var directory: FilePath
    var expectedBytes: Int64

    func error(_ outcome: ProgramOutcome) -> DumpError {
        let said = outcome.lastErrorLines.map { $0.showing(directory) }.joined(separator: "\n")
        let context: ErrorContext = said.isEmpty ? [:] : ["stderr": said]
        guard let cause = FailureCause.ofDumping(said) else {
            return DumpError(.programFailed, message(outcome), hint: hint(outcome), context: context)
        }
        guard cause.code != .noSpace else { return noSpace(cause.hint, context) }
        return DumpError(
            cause.code, message(outcome), hint: cause.hint, context: context, isTransient: cause.isTransient)
    }

    func noSpace(_ hint: String, _ context: ErrorContext = [:]) -> DumpError {
        // Without an answer the error is no less true.
        let free = (try? FileSystem.availableBytes(at: directory)).map(formatBytes) ?? "an unknown number of bytes"
        return DumpError(
            .noSpace,
            "no space for \(subject): about \(formatBytes(expectedBytes)) needed, \(free) free in \(directory)",
            hint: hint, context: context)
    }

    private func message(_ outcome: ProgramOutcome) -> String {
        "\(tool.rawValue) of \(subject) \(outcome.status)"
    }

    private func hint(_ outcome: ProgramOutcome) -> String? {
        guard case .signaled = outcome.status else { return nil }
        return "Find out what ended it: an operator, or the kernel when memory ran out (dmesg)."
    }
}

/// What a program that succeeded remarked on standard error.
final class ProgramRemarks: Sendable {
    private let warnings = Mutex<[String]>([])
    /// A program may warn of each of thousands of objects.
    private static let limit = 50

    /// A warning of the program or of the server, which libpq passes on, or a detail of the one before. What is beyond the limit, or
    /// neither, is only logged.
    func add(_ line: String) {
        warnings.withLock { warnings in
            guard warnings.count < Self.limit else { return }
            if let warning = line.part(after: ": warning: ") ?? line.part(behind: "WARNING:  ") {
                warnings.append(warning)
            } else if let detail = line.part(after: ": detail: ") ?? line.part(behind: "DETAIL:  "),
                let last = warnings.popLast()
            {
                warnings.append("\(last) \(detail)")
            }
        }
    }

    func findings(about object: String) -> [Finding] {
        warnings.withLock { $0 }.map { Finding(.warning, "program_warning", object: object, $0) }
    }
}

extension String {
    /// With the real path in place of the one that the program knew the directory by.
    fileprivate func showing(_ directory: FilePath) -> String {
        split(separator: Program.directoryPath.string, omittingEmptySubsequences: false)
            .joined(separator: directory.string)
    }

    fileprivate func part(behind start: String) -> String? {
        hasPrefix(start) ? String(dropFirst(start.count)) : nil
    }

    fileprivate func part(after mark: String) -> String? {
        guard let range = firstRange(of: mark) else { return nil }
        return String(self[range.upperBound...])
    }
}
