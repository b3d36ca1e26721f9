import DumpCore
import Linux
import Logging
import Processes
import Synchronization
import SystemPackage

/// One process of a plugin, from its start to its end: what it says is checked as it comes, and the first fault stops it.
final class PluginProcess: Sendable {
    private let call: PluginCall
    private let run: RunContext
    private let input = ProgramInput()
    private let tail: PluginLog
    private let transcript: Mutex<PluginTranscript>
    private let changes: PluginChanges
    /// When it said `frozen`.
    private let moment = Mutex<Timestamp?>(nil)
    private let frozen: AsyncStream<Void>
    private let work: Mutex<Task<Result<PluginTranscript, DumpError>, Never>?>

    /// Starts it. It must be waited for by `end` or `stop`.
    ///
    /// - Parameters:
    ///   - known: the units that `prepare` has said.
    ///   - tail: gets the last lines of its log.
    ///   - undo: undoes a change that the process has left when it has ended.
    ///   - onProgress: told how far a unit has come.
    init(
        _ call: PluginCall, by runner: ProgramRunner, in run: RunContext, known: [WorkUnit] = [],
        tail: PluginLog = PluginLog(),
        undo: @escaping @Sendable (PluginChange, RunContext) async throws(DumpError) -> Void = { _, _ in },
        onProgress: @escaping @Sendable (FilePath, Int64) async -> Void = { _, _ in }
    ) {
        (self.call, self.run, self.tail) = (call, run, tail)
        changes = PluginChanges(of: call.plugin.name, in: run, undoneBy: undo)
        transcript = Mutex(PluginTranscript(of: call, known: known))
        work = Mutex(nil)
        let signal = AsyncStream<Void>.makeStream()
        frozen = signal.stream
        let task = Task { [self] in
            let outcome = await Result.awaiting { () async throws(DumpError) in
                try await perform(by: runner, frozen: signal.continuation, onProgress)
            }
            signal.continuation.finish()
            return outcome
        }
        work.withLock { $0 = task }
    }

    /// Runs a verb that needs nothing to be said in between.
    static func perform(
        _ call: PluginCall, by runner: ProgramRunner, in run: RunContext, within limit: Duration? = nil,
        undo: @escaping @Sendable (PluginChange, RunContext) async throws(DumpError) -> Void = { _, _ in }
    ) async throws(DumpError) -> PluginTranscript {
        let process = PluginProcess(call, by: runner, in: run, undo: undo)
        return try await process.within(limit, "\(call.verb.rawValue) of plugin '\(call.plugin.name)'") {
            try await process.end()
        }
    }

    /// Has the plugin undo a change.
    ///
    /// - Parameter call: of the verb `undo`, which gets the change.
    static func undo(
        _ change: PluginChange, by call: PluginCall, _ runner: ProgramRunner, in run: RunContext
    ) async throws(DumpError) {
        var call = call
        call.document = ("MUSTER_UNDO", try change.document)
        _ = try await perform(call, by: runner, in: run, within: PluginProvider.undoing)
    }

    /// Waits until its point in time is open: between the two moments that are returned. It has been stopped when this throws.
    func untilFrozen(within limit: Duration?) async throws(DumpError) -> (from: Timestamp, to: Timestamp) {
        let from = Timestamp.now
        do {
            try await within(limit, "the freeze by plugin '\(call.plugin.name)'") { [self] in
                for await _ in frozen { return }
                // It has ended, or we are to.
                _ = try await end()
                throw DumpError(
                    .pluginProtocol, "plugin '\(call.plugin.name)' ended before it said 'frozen'",
                    hint: DumpError.faultOfPlugin)
            }
        } catch {
            await stop()
            throw error
        }
        return (from, moment.withLock { $0 } ?? .now)
    }

    func go() {
        // At once: what it says in between would count as said after a word that it never got.
        transcript.withLock { transcript in
            transcript.go()
            input.send("go")
        }
    }

    /// Waits for its end, which must be a good one. Cancelled, it stops it.
    func end() async throws(DumpError) -> PluginTranscript {
        guard let task = work.withLock({ $0 }) else { throw DumpError(.cancelled, "the plugin was not started") }
        let outcome = await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }
        return try outcome.get()
    }

    /// Ends it, however far it has come.
    func stop() async {
        guard let task = work.withLock({ $0 }) else { return }
        input.close()
        task.cancel()
        _ = await task.value
    }

    // MARK: Its life

    private func perform(
        by runner: ProgramRunner, frozen: AsyncStream<Void>.Continuation,
        _ onProgress: @escaping @Sendable (FilePath, Int64) async -> Void
    ) async throws(DumpError) -> PluginTranscript {
        let outcome = await life(by: runner, frozen: frozen, onProgress)
        let isHeard = input.isRead
        input.close()
        let left = await changes.undoAll()
        let said: PluginTranscript
        do throws(DumpError) {
            said = try finished(try outcome.get())
            if !isHeard { throw DumpError(deaf: call) }
        } catch {
            throw error.leaving(left)
        }
        if let left { throw left }
        return said
    }

    /// From its start to its end: it runs, and what it says is followed. The first fault of what it says ends it.
    private func life(
        by runner: ProgramRunner, frozen: AsyncStream<Void>.Continuation,
        _ onProgress: @escaping @Sendable (FilePath, Int64) async -> Void
    ) async -> Result<ProgramOutcome, DumpError> {
        let steps = AsyncStream<Result<PluginTranscript.Step, DumpError>>.makeStream()
        return await withTaskGroup(of: Ending.self) { group in
            group.addTask { [self] in
                let ended = await execution(by: runner, steps.continuation)
                steps.continuation.finish()
                return .program(ended)
            }
            group.addTask { [self] in
                .steps(
                    await Result.awaiting { () async throws(DumpError) in
                        try await follow(steps.stream, frozen: frozen, onProgress)
                    })
            }
            return await Self.outcome(of: &group)
        }
    }

    /// Runs the program, and takes what it says.
    private func execution(
        by runner: ProgramRunner, _ steps: AsyncStream<Result<PluginTranscript.Step, DumpError>>.Continuation
    ) async -> Result<ProgramOutcome, DumpError> {
        let program = call.program(told: input)
        let ended = await Result<ProgramOutcome, ProcessError>.awaiting { () async throws(ProcessError) in
            try await runner.run(
                program,
                output: .lines { line in
                    let shown = program.withoutSecrets(line)
                    self.take(shown, holdsSecret: shown != line, steps)
                }, onErrorLine: { self.tail.append($0) })
        }
        return ended.mapError { DumpError($0) }
    }

    /// The program's outcome, once both have ended. A fault of what it said ends it, and counts before its status.
    private static func outcome(of group: inout TaskGroup<Ending>) async -> Result<ProgramOutcome, DumpError> {
        var program = Result<ProgramOutcome, DumpError>.failure(DumpError(.cancelled, "the plugin was stopped"))
        var fault: DumpError?
        for await ending in group {
            switch ending {
            case .program(let ended): program = ended
            case .steps(.failure(let error)):
                fault = error
                group.cancelAll()
            case .steps(.success): break
            }
        }
        return fault.map { .failure($0) } ?? program
    }

    private enum Ending: Sendable {
        case program(Result<ProgramOutcome, DumpError>)
        case steps(Result<Void, DumpError>)
    }

    /// Called on the thread that watches the program.
    private func take(
        _ line: String, holdsSecret: Bool,
        _ steps: AsyncStream<Result<PluginTranscript.Step, DumpError>>.Continuation
    ) {
        do throws(EventFault) {
            guard !holdsSecret else { throw EventFault(reason: "a line holds a secret") }
            let event = try PluginEvent(line)
            let step = try transcript.withLock { transcript throws(EventFault) in try transcript.take(event) }
            if case .frozen? = step { moment.withLock { $0 = .now } }
            if let step { steps.yield(.success(step)) }
        } catch {
            steps.yield(.failure(DumpError(protocolFault: error, line, of: call)))
        }
    }

    /// Does what its events ask for, in their order. Throws what must stop it.
    private func follow(
        _ steps: AsyncStream<Result<PluginTranscript.Step, DumpError>>, frozen: AsyncStream<Void>.Continuation,
        _ onProgress: @escaping @Sendable (FilePath, Int64) async -> Void
    ) async throws(DumpError) {
        for await step in steps {
            switch try step.get() {
            case .frozen: frozen.yield()
            case .moved(let unit, let bytes): await onProgress(unit, bytes)
            case .record(let said):
                try await changes.record(said)
                input.send("recorded \(said.id)")
            case .forget(let id): try await changes.forget(id)
            }
        }
    }

    /// What it has said, if it ended as it should.
    private func finished(_ outcome: ProgramOutcome) throws(DumpError) -> PluginTranscript {
        let said = transcript.withLock { $0 }
        if let error = said.error { throw error.of(call, outcome) }
        guard outcome.succeeded else { throw DumpError(failed: call, outcome) }
        guard said.summary != nil else { throw DumpError(silent: call, outcome) }
        return said
    }

    /// Does work within a limit, or within the dump's deadline if that is shorter. Takes too long: the error has what its log says.
    private func within<Result: Sendable>(
        _ limit: Duration?, _ subject: String, _ work: @escaping @Sendable () async throws -> Result
    ) async throws(DumpError) -> Result {
        var context = run
        context.deadline = [run.deadline, limit].compactMap { $0 }.min()
        do throws(DumpError) {
            return try await context.withinDeadline(subject, work)
        } catch {
            let isFixed = limit.map { limit in run.deadline.map { limit < $0 } ?? true } ?? false
            throw error.ofWaiting(for: call.plugin, tail, isFixed: isFixed)
        }
    }
}
