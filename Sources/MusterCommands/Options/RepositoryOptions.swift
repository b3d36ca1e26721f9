import ArgumentParser
import Jobs

/// Which of a job's repositories a command is about: all, if none is named.
struct RepositoryOptions: ParsableArguments {
    @Option(
        name: [.customShort("r"), .customLong("repository")],
        help: ArgumentHelp("Only this repository of the job; may be repeated.", valueName: "name"),
        completion: .repositories)
    var names: [String] = []

    /// Leaves only these in the job, in its order.
    func choose(in job: inout ReadyJob) throws { try job.keepRepositories(names) }
}

extension ReadyJob {
    /// Leaves only these repositories, in the order of the job file; all, if none is named.
    mutating func keepRepositories(_ names: [String]) throws {
        guard !repositories.isEmpty else {
            throw ValidationError("the job '\(job.name)' has no repository", hint: "Add one under 'repositories:'.")
        }
        let known = repositories.map(\.name)
        for name in names where !known.contains(name) {
            throw ValidationError(
                "the job '\(self.name)' has no repository '\(name)'",
                hint: "\(suggestion(for: name, among: known))It has: \(known.joined(separator: ", ")).")
        }
        if !names.isEmpty { repositories.removeAll { !names.contains($0.name) } }
    }
}
