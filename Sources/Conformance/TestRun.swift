import DumpCore
import Linux
import Logging
import SystemPackage

/// A run of one dump, called `app`, that remembers what was logged and which units of work began and ended.
public struct TestRun: Sendable {
    public enum Event: Sendable, Equatable {
        case began(WorkUnit)
        case ended(WorkUnit)

        public var isBegin: Bool {
            if case .began = self { true } else { false }
        }
    }

    public let events = Notes<Event>()
    /// How far each unit had come, as often as the provider told.
    public let moves = Notes<(unit: WorkUnit, progress: UnitProgress)>()
    /// Every line that was logged, at any level, with its metadata.
    public let logged = Notes<String>()
    public var context: RunContext

    /// - Parameter deadline: as a job file's entry has it.
    public init(
        slots: Int = 2, jobsPerUnit: Int = 1, deadline: Duration? = nil, journal: any UndoJournal = MemoryJournal()
    ) {
        let (logged, events, moves) = (logged, events, moves)
        var log = Logger(label: "test", factory: { _ in RecordingLog(lines: logged) })
        log.logLevel = .trace
        context = RunContext(
            runID: RunID(start: .now), dump: "app", deadline: deadline,
            progress: RecordingProgress(events: events, moves: moves), log: log,
            turns: RunContext.Turns(slots: WorkSlots(capacity: slots), jobsPerUnit: jobsPerUnit), journal: journal)
    }

    /// All of a provider's part of a run: prepare, freeze, dump, release, close. Findings of severity failure end it, as they
    /// end a run.
    @discardableResult
    public func dump(_ provider: any Provider, into directory: FilePath) async throws -> DumpSummary {
        try await prepared(provider) { source in
            if let failure = (source.findings + source.omissions).first(where: { $0.severity == .failure }) {
                throw DumpError(.settings, failure.message, hint: failure.hint)
            }
            return try await dump(source, into: directory)
        }
    }

    /// The part after prepare: freeze, dump, release.
    public func dump(_ source: any PreparedSource, into directory: FilePath) async throws -> DumpSummary {
        var context = context
        context.directory = directory
        let frozen = try await source.freeze(in: context)
        let outcome: Swift.Result<DumpSummary, DumpError>
        do throws(DumpError) {
            outcome = .success(try await frozen.dump(into: directory, in: context))
        } catch {
            outcome = .failure(error)
        }
        await frozen.release()
        return try outcome.get()
    }

    /// A source for as long as `body` runs.
    public func prepared<Result>(
        _ provider: any Provider, _ body: (any PreparedSource) async throws -> Result
    ) async throws -> Result {
        let source = try await SupervisedProvider(provider).prepare(in: context)
        return try await withCleanup {
            try await body(source)
        } cleanup: {
            await source.close()
        }
    }
}

private struct RecordingProgress: ProgressObserver {
    let events: Notes<TestRun.Event>
    let moves: Notes<(unit: WorkUnit, progress: UnitProgress)>
    func began(_ unit: WorkUnit, of dump: String) async { events.append(.began(unit)) }
    func moved(_ unit: WorkUnit, of dump: String, to progress: UnitProgress) async { moves.append((unit, progress)) }
    func ended(_ unit: WorkUnit, of dump: String) async { events.append(.ended(unit)) }
}

private struct RecordingLog: LogHandler {
    let lines: Notes<String>
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    init(lines: Notes<String>) { self.lines = lines }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { lines.append("\(event.level) \(event.message) \(event.metadata ?? [:])") }
}
