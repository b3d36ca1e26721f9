import DumpCore
import Glibc
import Linux
import Processes
import SystemPackage

/// The programs of a dump at work, each of which reads what the one before it writes; the last writes to the file directly.
struct CommandPipe: Sendable {
    private let command: PreparedCommand
    private let path: FilePath
    private let run: RunContext

    init(_ command: PreparedCommand, into path: FilePath, in run: RunContext) {
        (self.command, self.path, self.run) = (command, path, run)
    }

    /// Returns once every program has ended well.
    func perform() async throws(DumpError) {
        let file: FileDescriptor
        do { file = try FileSystem.createFile(path) } catch {
            throw DumpError(.system, "cannot create \(path): \(error)")
        }
        let outcome = await Result.awaiting { () async throws(DumpError) in try await performAll(into: file) }
        do { try file.close() } catch { throw DumpError(.system, "cannot write \(path): \(error)") }
        try outcome.get()
    }

    private func performAll(into file: FileDescriptor) async throws(DumpError) {
        var pipes: [(read: FileDescriptor, write: FileDescriptor)] = []
        do throws(Errno) {
            for _ in command.settings.commands.dropFirst() { pipes.append(try makePipe()) }
        } catch {
            for pipe in pipes.map({ PipeEnds($0) }) {
                pipe.closeRead()
                pipe.closeWrite()
            }
            throw DumpError(.system, "cannot connect the programs of the pipe: \(error)")
        }
        let ends = pipes.map { PipeEnds($0) }
        let outcomes = await withTaskGroup(of: (Int, Part).self) { group in
            for (place, words) in command.settings.commands.enumerated() {
                let input = place > 0 ? ends[place - 1] : nil
                let output = place < ends.count ? ends[place] : nil
                group.addTask {
                    let part = await perform(place, words, reading: input, writing: output, file)
                    // Every part of it that still runs ends, and the others with it.
                    input?.closeRead()
                    output?.closeWrite()
                    return (place, part)
                }
            }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        let failed = command.settings.commands.indices.compactMap { outcomes[$0] }.filter { $0.error != nil }
        // The first that failed is why the others did, except one whose output was no longer read.
        if let error = (failed.first { !$0.wasCut } ?? failed.first)?.error { throw error }
    }

    private func perform(
        _ place: Int, _ words: [String], reading input: PipeEnds?, writing output: PipeEnds?, _ file: FileDescriptor
    ) async -> Part {
        let container = place == 0 ? command.settings.container.map { ContainerProgram(in: $0) } : nil
        var program = command.program(place, container?.command(words) ?? words)
        program.inputFile = input?.read
        program.input = container?.input
        if container != nil { program.inheritedPrefixes = Program.engineVariables }
        let outcome: ProgramOutcome
        do throws(ProcessError) {
            outcome = try await command.means.runner.run(program, output: .file(output?.write ?? file)) { line in
                _ = container?.takes(line)
            }
        } catch {
            return Part(error: DumpError(error))
        }
        container?.input.close()
        let wasCut = outcome.status == .signaled(SIGPIPE)
        do throws(DumpError) {
            if let container {
                try container.requireSuccess(of: words[0], outcome)
            } else {
                try outcome.requireSuccess(of: words[0])
            }
            return Part()
        } catch {
            return Part(error: error, wasCut: wasCut)
        }
    }

    /// What became of one program.
    private struct Part: Sendable {
        var error: DumpError?
        /// Whether it ended because its output was no longer read.
        var wasCut = false
    }
}

/// Both ends of a pipe between two programs. Ours are closed as soon as they are handed on.
private final class PipeEnds: Sendable {
    let read: FileDescriptor
    let write: FileDescriptor

    init(_ ends: (read: FileDescriptor, write: FileDescriptor)) { (read, write) = (ends.read, ends.write) }

    func closeRead() { try? read.close() }
    func closeWrite() { try? write.close() }
}

extension ProgramOutcome {
    func requireSuccess(of name: String) throws(DumpError) {
        guard !succeeded else { return }
        var context: ErrorContext = [:]
        if !lastErrors.isEmpty { context["stderr"] = lastErrors }
        let isFull = lastErrors.contains("No space left on device")
        throw DumpError(
            isFull ? .noSpace : .programFailed, "\(name) \(status)",
            hint: isFull ? "Free space in the staging area." : "Run it by hand, as the user that Muster runs it as.",
            context: context)
    }
}
