import ArgumentParser
import DumpCore
import Jobs
import MusterConfig
import Reporting

/// For commands that are about one job, or about all of the directory of job files.
extension JobOptions {
    /// - Parameter all: the flag `--all`.
    func requireNoJob(_ positional: String?, beside all: Bool) throws {
        guard all, config ?? job ?? positional != nil else { return }
        throw ValidationError("--all is about every job", hint: "Leave out --all, or the name of the job.")
    }

    /// The names of all jobs where no single one is meant; nil if one is.
    func severalJobs(_ positional: String?, all: Bool) throws -> [String]? {
        guard config == nil, job == nil, positional == nil else { return nil }
        do {
            let jobs = try JobFile.jobs()
            return all || jobs.count > 1 ? jobs : nil
        } catch {
            throw CommandFailure(status: .configuration, error: error)
        }
    }
}

extension Job {
    /// The job of this name in the directory of job files.
    init(named name: String) throws(ConfigurationError) {
        self = try JobFile.load(try JobFile.find(job: name), kinds: BuiltInProviders.kinds)
    }
}

extension Finding {
    /// Why nothing can be said about a job where several are looked at.
    init(_ error: any Error, aboutJob name: String) {
        self.init(error.forOperator, about: name)
        hint = hint ?? "See more: muster status \(name)."
    }
}
