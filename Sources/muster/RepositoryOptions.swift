import ArgumentParser
import Pipeline

/// Which of a job's repositories a command is about: all, if none is named.
struct RepositoryOptions: ParsableArguments {
    @Option(
        name: [.customShort("r"), .customLong("repository")],
        help: ArgumentHelp("Only this repository of the job; may be given several times.", valueName: "name"))
    var names: [String] = []

    init() {}

    init(names: [String]) {
        self.init()
        self.names = names
    }

    /// Leaves only these in the job, in its order.
    func choose(in job: inout Job) throws {
        guard !job.repositories.isEmpty else {
            throw ValidationError("The job '\(job.name)' has no repository. Add one under 'repositories:'.")
        }
        let known = job.repositories.map(\.name)
        for name in names where !known.contains(name) {
            throw ValidationError(
                "The job '\(job.name)' has no repository '\(name)'. It has: \(known.joined(separator: ", ")).")
        }
        if !names.isEmpty { job.repositories.removeAll { !names.contains($0.name) } }
    }
}
