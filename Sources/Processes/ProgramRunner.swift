import DumpCore
import Logging
import Subprocess
import SystemPackage

/// Runs programs, each under a keeper of its own: see `Keeper`.
///
/// A program is stopped as a whole (SIGTERM, its grace, SIGKILL) when the task that runs it is cancelled and when this
/// process ends, however it ends; whatever it started goes with it. When `run` returns or throws, nothing of it is left.
public struct ProgramRunner: Sendable {
    let keeper: FilePath
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
                "user": "\(program.user ?? "(own)")",
            ])
        let log = log
        let tail = LineTail(limit: 20)
        let name = program.name
        let errors = { @Sendable (line: String) in
            log.debug("program said", metadata: ["program": "\(name)", "line": "\(line)"])
            tail.append(line)
            onErrorLine(line)
        }
        let ended: (TerminationStatus, [UInt8])
        do {
            ended = try await run(program, output: output, onOutput: onOutput, errors: errors)
        } catch let error as ProcessError {
            throw error
        } catch {
            if Task.isCancelled { throw cancelled(program) }
            throw ProcessError(.cannotRun, "cannot run \(name): \(error)", underlying: error)
        }
        // A cancelled run returns as if the program had ended by itself.
        if Task.isCancelled { throw cancelled(program) }
        let outcome = ProgramOutcome(
            status: ProgramOutcome.Status(ended.0), output: ended.1, lastErrorLines: tail.lines)
        log.debug("program ended", metadata: ["program": "\(name)", "status": "\(outcome.status)"])
        return outcome
    }

    private func run(
        _ program: Program, output: ProgramOutput, onOutput: @escaping @Sendable () -> Void,
        errors: @escaping @Sendable (String) -> Void
    ) async throws -> (TerminationStatus, [UInt8]) {
        switch output {
        case .discard:
            let result = try await start(program, output: .discarded) { execution in
                try await execution.standardError.forEachLine(errors)
            }
            return (result.terminationStatus, [])
        case .file(let descriptor):
            let result = try await start(
                program, output: .fileDescriptor(descriptor, closeAfterSpawningProcess: false)
            ) { execution in
                try await execution.standardError.forEachLine(errors)
            }
            return (result.terminationStatus, [])
        case .lines(let onLine):
            let result = try await start(program, output: .sequence) { execution in
                async let said: Void = execution.standardError.forEachLine(errors)
                try await execution.standardOutput.forEachLine { line in
                    onOutput()
                    onLine(line)
                }
                try await said
            }
            return (result.terminationStatus, [])
        case .pieces(let onPiece):
            let result = try await start(program, output: .sequence) { execution in
                async let said: Void = execution.standardError.forEachLine(errors)
                for try await buffer in execution.standardOutput {
                    onOutput()
                    buffer.withUnsafeBytes(onPiece)
                }
                try await said
            }
            return (result.terminationStatus, [])
        case .collect(let limit):
            let name = program.name
            let result = try await start(program, output: .sequence) { execution in
                async let said: Void = execution.standardError.forEachLine(errors)
                var bytes: [UInt8] = []
                for try await buffer in execution.standardOutput {
                    onOutput()
                    buffer.withUnsafeBytes { bytes.append(contentsOf: $0) }
                    guard bytes.count <= limit else {
                        throw ProcessError(.tooMuchOutput, "\(name) wrote more than \(formatBytes(Int64(limit)))")
                    }
                }
                try await said
                return bytes
            }
            return (result.terminationStatus, result.closureResult)
        }
    }

    private func start<Output: OutputProtocol, Result: Sendable>(
        _ program: Program, output: Output,
        body: @escaping (Execution<ArrayInput, Output, SequenceOutput>) async throws -> Result
    ) async throws -> ExecutionResult<Result, Output, SequenceOutput> {
        var options = PlatformOptions()
        // A session of its own: Ctrl-C at the terminal reaches us only, and we stop the program in good order.
        options.createSession = true
        // The keeper needs the program's grace, and a moment to end what is left.
        options.teardownSequence = [.send(signal: .terminate, allowedDurationToNextStep: program.grace + .seconds(5))]
        return try await Subprocess.run(
            .path(keeper), arguments: Arguments(Keeper.arguments(for: program)),
            environment: .custom(ChildEnvironment.of(program)), workingDirectory: program.workingDirectory,
            platformOptions: options, input: .array(program.secret.map { Array($0.text.reveal().utf8) } ?? []),
            output: output, error: .sequence, body: body)
    }

    private func cancelled(_ program: Program) -> ProcessError {
        ProcessError(.cancelled, "\(program.name) was stopped")
    }
}

extension ProgramOutcome.Status {
    fileprivate init(_ status: TerminationStatus) {
        switch status {
        case .exited(let code): self = .exited(code)
        case .signaled(let signal): self = .signaled(signal)
        }
    }
}
