import DumpCore
import Jobs
import Linux
import Logging
import Processes
import Reporting

/// Why a program of `hooks:` did not do what it is there for.
public typealias HookError = CodedError<HookErrorCode>

public enum HookErrorCode: String, ErrorCode {
    case failed = "hook_failed"
}

/// Runs the programs that a job has under `hooks:`.
public struct Hooks: Sendable {
    let settings: Job.Hooks
    let runner: ProgramRunner

    public init(_ settings: Job.Hooks, by runner: ProgramRunner) { (self.settings, self.runner) = (settings, runner) }

    /// Runs those of one place one after the other. Before a run, the first that fails is the last; elsewhere the others run too.
    ///
    /// `before` is stopped when our task is cancelled. The others run to their end or their deadline.
    ///
    /// - Parameter environment: what they get to know about the run.
    /// - Returns: what came of each that ran, and the first failure.
    public func run(
        _ place: Job.Hooks.Place, _ environment: [String: String]
    ) async -> (records: [RunReport.HookRecord], failure: (any OperatorError)?) {
        guard place != .before else { return await runAll(place, environment, grace: .seconds(10)) }
        // A run that was stopped ends ten seconds after its last program, see StopLimit: these have their time.
        let grace = Task.isCancelled ? max(settings.deadline, .seconds(10)) : .seconds(10)
        return await untilDone { await runAll(place, environment, grace: grace) }
    }

    private func runAll(
        _ place: Job.Hooks.Place, _ environment: [String: String], grace: Duration
    ) async -> (records: [RunReport.HookRecord], failure: (any OperatorError)?) {
        var records: [RunReport.HookRecord] = []
        var failure: (any OperatorError)?
        for words in settings.programs(place) {
            StopPoint.passing("hook.\(place.rawValue)")
            let began = ContinuousClock.now
            let error = await error(of: words, place, environment, grace: grace)
            records.append(
                RunReport.HookRecord(
                    hook: place.rawValue, program: words[0],
                    durationSeconds: (ContinuousClock.now - began) / .seconds(1), error: error))
            failure = failure ?? error
            if place == .before, failure != nil { break }
        }
        return (records, failure)
    }

    private func error(
        of words: [String], _ place: Job.Hooks.Place, _ environment: [String: String], grace: Duration
    ) async -> (any OperatorError)? {
        do {
            var program = try Program(
                Executables.find(words[0]), Array(words.dropFirst()), environment: environment, grace: grace)
            program.environment["MUSTER_HOOK"] = place.rawValue
            let ended = try await withDeadline(settings.deadline) { [program] in try await runner.run(program) }
            guard let outcome = ended else {
                return failed(words, place, "took longer than \(settings.deadline.settingsText)")
            }
            guard !outcome.succeeded else { return nil }
            return failed(words, place, "\(outcome.status)", saying: outcome.lastErrors)
        } catch {
            return failed(words, place, "could not be run", saying: error.forOperator.message)
        }
    }

    private func failed(
        _ words: [String], _ place: Job.Hooks.Place, _ what: String, saying errors: String = ""
    ) -> HookError {
        let hint =
            place == .before
            ? "Nothing was dumped. Correct the program, or take it out of hooks: before."
            : "Correct the program, or take it out of hooks: \(place.rawValue)."
        return HookError(
            .failed, "the program of hooks: \(place.rawValue) \(what): \(words[0])", hint: hint,
            context: errors.isEmpty ? [:] : ["stderr": errors])
    }
}
