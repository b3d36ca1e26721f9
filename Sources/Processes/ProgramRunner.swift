import DumpCore
import Glibc
import Linux
import Logging
import SystemPackage

/// Runs programs, each under a keeper of its own: see `Keeper`.
///
/// A program is stopped as a whole (SIGTERM, its grace, SIGKILL) when the task that runs it is cancelled. It is also stopped when this
/// process ends, however it ends. Whatever the program started goes with it. When `run` returns or throws, nothing of it is left.
public struct ProgramRunner: Sendable {
    public let keeper: FilePath
    private let log: Logger

    /// - Parameter keeper: path of the executable `muster-keeper`, see `Keeper.installed`.
    public init(keeper: FilePath, log: Logger) {
        self.keeper = keeper
        self.log = log
    }

    /// Runs a program to its end.
    ///
    /// - Parameters:
    ///   - onErrorLine: told each line of standard error as it comes. The last lines are also in the outcome.
    ///   - onOutput: told whenever something of standard output passes through us.
    public func run(
        _ program: Program, output: ProgramOutput = .discard,
        onErrorLine: @escaping @Sendable (String) -> Void = { _ in },
        onOutput: @escaping @Sendable () -> Void = {}
    ) async throws(ProcessError) -> ProgramOutcome {
        guard !Task.isCancelled else { throw cancelled(program) }
        log.debug(
            "running program",
            metadata: [
                "program": "\(program.executable)", "arguments": "\(program.arguments.joined(separator: " "))",
                "user": "\(program.isolation.map { "\($0.user), isolated" } ?? program.user ?? "(own)")",
            ])
        let log = log
        let tail = LineTail(limit: 20)
        let name = program.name
        let errors = { @Sendable (line: String) in
            let line = program.withoutSecrets(line)
            log.debug("program said", metadata: ["program": "\(name)", "line": "\(line)"])
            tail.append(line)
            onErrorLine(line)
        }
        let ended: Ended
        do throws(Errno) {
            ended = try await RunningPrograms.counting(program) { () async throws(Errno) in
                try await start(program, output: output, onOutput: onOutput, errors: errors)
            }
        } catch {
            if Task.isCancelled { throw cancelled(program) }
            throw ProcessError(
                .cannotRun, "cannot run \(name): \(error)", hint: Self.hint(for: error), underlying: error)
        }
        // A cancelled program may have ended well before it got the signal.
        if Task.isCancelled { throw cancelled(program) }
        if ended.isOverLimit, case .collect(let limit) = output {
            throw ProcessError(.tooMuchOutput, "\(name) wrote more than \(formatBytes(Int64(limit)))")
        }
        let outcome = ProgramOutcome(
            status: ProgramOutcome.Status(waitStatus: ended.status), output: ended.output, lastErrorLines: tail.lines)
        log.debug("program ended", metadata: ["program": "\(name)", "status": "\(outcome.status)"])
        return outcome
    }

    /// Runs it on a thread of its own, which cancellation reaches by a `ProgramStop`.
    private func start(
        _ program: Program, output: ProgramOutput, onOutput: @escaping @Sendable () -> Void,
        errors: @escaping @Sendable (String) -> Void
    ) async throws(Errno) -> Ended {
        let stop = try ProgramStop()
        let words = [keeper.string] + Keeper.arguments(for: program)
        let ended = await withTaskCancellationHandler {
            await onOwnThread { () -> Result<Ended, Errno> in
                Result { () throws(Errno) in
                    try Self.runToEnd(program, words, output: output, stop: stop, onOutput: onOutput, errors: errors)
                }
            }
        } onCancel: {
            stop.send()
        }
        return try ended.get()
    }

    private static func runToEnd(
        _ program: Program, _ words: [String], output: ProgramOutput, stop: ProgramStop, onOutput: () -> Void,
        errors: (String) -> Void
    ) throws(Errno) -> Ended {
        var process = try started(program, words, output: output)
        var errorLines = LineSplitter()
        var receiver = OutputReceiver(output)
        // The keeper needs the program's grace, and a moment to end what is left: longer on a busy machine. Once it is killed, that goes on.
        let status = try process.watch(stop: stop, patience: program.grace + .seconds(30)) { bytes in
            errorLines.take(bytes, errors)
        } onOutput: { bytes in
            onOutput()
            return receiver.take(bytes)
        }
        errorLines.finish(errors)
        return receiver.finish(status)
    }

    private static func started(
        _ program: Program, _ words: [String], output: ProgramOutput
    ) throws(Errno) -> KeptProcess {
        let null = try FileDescriptor.null(O_RDWR)
        defer { close(null.rawValue) }
        let secrets = try secrets(of: program)
        defer { if let secrets { close(secrets.rawValue) } }
        var input = program.inputFile ?? null
        if program.inputFile == nil, let told = program.input { input = try told.open() }
        defer { program.input?.hasBeenHandedOn() }
        let target: FileDescriptor? =
            switch output {
            case .file(let file): file
            case .discard: null
            case .lines, .pieces, .collect: nil
            }
        return try KeptProcess.start(
            words, ChildEnvironment.of(program), in: program.workingDirectory, input: input, secrets: secrets,
            file: target)
    }

    /// What the keeper reads: each with four bytes of its length before it, the lowest first. Nil for none.
    private static func secrets(of program: Program) throws(Errno) -> FileDescriptor? {
        guard !program.secrets.isEmpty else { return nil }
        var bytes: [UInt8] = []
        // No copy is left where the array was smaller.
        bytes.reserveCapacity(program.secrets.reduce(0) { $0 + 4 + $1.text.withBytes(\.count) })
        defer { bytes.wipe() }
        for secret in program.secrets {
            secret.text.withBytes { text in
                withUnsafeBytes(of: UInt32(text.count).littleEndian) { bytes.append(contentsOf: $0) }
                bytes.append(contentsOf: text)
            }
        }
        do {
            return try FileDescriptor.memoryFile(holding: bytes)
        } catch {
            throw error as? Errno ?? .ioError
        }
    }

    private static func hint(for errno: Errno) -> String? {
        switch errno {
        case .tooManyOpenFiles:
            "Let muster open more files: 'ulimit -n' in a shell, LimitNOFILE= in a unit. 256 are enough to start with."
        case .resourceTemporarilyUnavailable, .noMemory:
            "The limits leave no room for another process: raise TasksMax= and MemoryMax= of the unit, or 'ulimit -u' and 'ulimit -v'."
        default: nil
        }
    }

    private func cancelled(_ program: Program) -> ProcessError {
        ProcessError(.cancelled, "\(program.name) was stopped")
    }
}

extension FileDescriptor {
    /// `/dev/null`, opened for reading or for writing.
    static func null(_ mode: Int32) throws(Errno) -> FileDescriptor {
        let null = Glibc.open("/dev/null", mode | O_CLOEXEC)
        guard null >= 0 else { throw Errno(rawValue: errno) }
        return FileDescriptor(rawValue: null)
    }
}

/// How a keeper ended, and what was collected.
private struct Ended: Sendable {
    var status: Int32
    var output: [UInt8] = []
    var isOverLimit = false
}

/// Passes on what a program writes, as it was asked for.
private struct OutputReceiver {
    private let form: ProgramOutput
    private var lines = LineSplitter()
    private var collected: [UInt8] = []
    private var isOverLimit = false

    init(_ form: ProgramOutput) { self.form = form }

    /// False when it has enough.
    mutating func take(_ bytes: UnsafeRawBufferPointer) -> Bool {
        switch form {
        case .discard, .file: break
        case .lines(let onLine): lines.take(bytes, onLine)
        case .pieces(let onPiece): onPiece(bytes)
        case .collect(let limit):
            collected.append(contentsOf: bytes)
            isOverLimit = collected.count > limit
        }
        return !isOverLimit
    }

    mutating func finish(_ status: Int32) -> Ended {
        if case .lines(let onLine) = form { lines.finish(onLine) }
        return Ended(status: status, output: collected, isOverLimit: isOverLimit)
    }
}

extension ProgramOutcome.Status {
    /// - Parameter waitStatus: as `waitpid` gives it.
    public init(waitStatus: Int32) {
        self = waitStatus & 0x7f == 0 ? .exited((waitStatus >> 8) & 0xff) : .signaled(waitStatus & 0x7f)
    }
}
