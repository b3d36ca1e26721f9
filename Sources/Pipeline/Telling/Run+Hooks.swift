import DumpCore
import Jobs
import Notices
import Reporting
import Staging
import SystemPackage

extension Run {
    private var hooks: Hooks? {
        guard let settings = job.hooks, let runner = job.runner else { return nil }
        return Hooks(settings, by: runner)
    }

    /// Runs `hooks: before`. Throws when one fails: nothing is dumped then.
    func prepareByHooks() async throws(RunFailure) {
        guard let failure = await perform(.before, told: [:]) else { return }
        throw RunFailure(failure, during: .dump)
    }

    /// Runs `hooks: after`, whatever came of the run. Returns what the run ends with: a failure of theirs, unless it has one of its own.
    func finishByHooks(_ failure: RunFailure?) async -> RunFailure? {
        let error = await perform(.after, told: outcome(failure))
        return failure ?? error.map { .afterwards($0) }
    }

    /// Runs `hooks: on_success` or `on_failure`. The run has ended: a failure of theirs is said, and changes nothing.
    func followByHooks(_ ended: RunReport.Ended, report: FilePath?) async {
        if case .interrupted? = ended.failure { return }
        var told = outcome(ended.failure)
        told["MUSTER_REPORT"] = report?.string
        guard let error = await perform(ended.failure == nil ? .onSuccess : .onFailure, told: told) else { return }
        log.warning("\(error.message)", metadata: ["code": "\(error.codeName)"])
    }

    private func perform(_ place: Job.Hooks.Place, told: [String: String]) async -> (any OperatorError)? {
        guard let hooks else { return nil }
        let environment = [
            "MUSTER_JOB": job.name, "MUSTER_COMMAND": record.current.command, "MUSTER_RUN": id.description,
            "MUSTER_STAGING": job.staging.string,
        ]
        let outcome = await hooks.run(place, environment.merging(told) { $1 })
        if !outcome.records.isEmpty { record.note { $0.hooks = ($0.hooks ?? []) + outcome.records } }
        return outcome.failure
    }

    private func outcome(_ failure: RunFailure?) -> [String: String] {
        var told = [
            "MUSTER_OUTCOME": RunReport.Outcome(failure).rawValue,
            "MUSTER_EXIT_STATUS": "\((failure?.exitStatus ?? .done).rawValue)",
        ]
        told["MUSTER_ERROR"] = failure?.error?.message
        return told
    }
}
