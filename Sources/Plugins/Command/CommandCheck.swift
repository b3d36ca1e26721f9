import DumpCore
import Glibc
import Linux
import Processes
import SystemPackage

/// Whether what a command printed is a whole dump, as far as the job file says how to know.
struct CommandCheck: Sendable {
    private let command: PreparedCommand
    private let path: FilePath

    init(_ command: PreparedCommand, of path: FilePath) { (self.command, self.path) = (command, path) }

    func perform() async throws(DumpError) {
        let (path, settings) = (path, command.settings)
        try await onOwnThread { () throws(DumpError) in
            do {
                // A process of another user may still have it open.
                if settings.runAs != nil {
                    try OpenDirectory(path.removingLastComponent()).requireNoWriter(of: FilePath(settings.file))
                }
                let file = try FileDescriptor.open(path, .readOnly, options: [.closeOnExec, .noFollow])
                try file.closeAfter {
                    let bytes = try FileSystem.status(of: file).bytes
                    try Self.requireSize(bytes, settings)
                    if let trailer = settings.trailer { try Self.require(trailer, atEndOf: file, bytes) }
                }
            } catch let error as DumpError {
                throw error
            } catch let error as ForeignFile {
                throw DumpError(
                    .incompleteDump, "the output is not complete: \(error)",
                    hint: "The command must wait for all that it starts.")
            } catch {
                throw DumpError(.system, "cannot read \(path) again: \(error)")
            }
        }
        if let words = settings.verify { try await verify(by: words) }
    }

    private static func requireSize(_ bytes: Int64, _ settings: CommandSettings) throws(DumpError) {
        guard bytes < settings.minimumBytes else { return }
        let name = settings.commands.last?[0] ?? ""
        throw DumpError(
            .incompleteDump,
            bytes == 0
                ? "\(name) ended with status 0 and printed nothing"
                : "\(name) printed \(formatBytes(bytes)), less than the \(formatBytes(settings.minimumBytes)) of minimum_bytes",
            hint: "Run the command by hand and look at what it prints.")
    }

    /// A last line is no longer than this.
    private static let longestLine: Int64 = 64 << 10

    private static func require(_ trailer: String, atEndOf file: FileDescriptor, _ bytes: Int64) throws {
        let start = max(0, bytes - longestLine)
        try file.seek(offset: start, from: .start)
        let end = try file.readAll(atMost: Int(longestLine))
        let line = end.split(whereSeparator: { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }).last ?? []
        guard !line.starts(with: trailer.utf8) else { return }
        throw DumpError(
            .incompleteDump, "the output does not end as trailer: says: its last line does not begin with '\(trailer)'",
            hint:
                "The command ended before it was done, or ends in another way. Run it by hand and look at its last line.",
            context: ["last_line": String(String(decoding: line.prefix(200), as: UTF8.self)).onOneLine])
    }

    private func verify(by words: [String]) async throws(DumpError) {
        let outcome: ProgramOutcome
        do {
            let file = try FileDescriptor.open(path, .readOnly, options: [.closeOnExec, .noFollow])
            var program = command.program(command.programs.count - 1, words)
            program.inputFile = file
            let ended = await Result<ProgramOutcome, ProcessError>.awaiting { [program] () async throws(ProcessError) in
                try await command.means.runner.run(program)
            }
            try file.close()
            outcome = try ended.get()
        } catch let error as ProcessError {
            throw DumpError(error)
        } catch {
            throw DumpError(.system, "cannot read \(path) again: \(error)")
        }
        guard !outcome.succeeded else { return }
        throw DumpError(
            .incompleteDump, "the output is not whole: \(words[0]), which verifies it, \(outcome.status)",
            hint: "Run the command by hand and look at what it prints.",
            context: outcome.lastErrors.isEmpty ? [:] : ["stderr": outcome.lastErrors])
    }
}
