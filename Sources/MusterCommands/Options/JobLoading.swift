import ArgumentParser
import Borg
import DumpCore
import Glibc
import Jobs
import Linux
import Logging
import MusterConfig
import Processes
import Settings
import Snapshots
import SystemPackage

extension JobOptions {
    /// The job file's plan, checked but with nothing looked up outside it.
    func plan(_ positional: String? = nil) throws -> JobPlan {
        do {
            return try JobFile.load(try file(positional), kinds: BuiltInProviders.kinds)
        } catch let error as ConfigurationError {
            throw CommandFailure(status: .configuration, error: error)
        }
    }

    /// The path of the job file, from `--config`, `--job` or a job named without an option.
    func file(_ positional: String? = nil) throws -> FilePath {
        guard [config, job, positional].compactMap({ $0 }).count <= 1 else {
            throw ValidationError("the job is named more than once", hint: "Leave one of its name, --job and --config.")
        }
        do {
            if let config { return JobOptions.absolute(config) }
            if let name = job ?? positional { return try JobFile.find(job: name) }
            return try JobFile.find(job: onlyJob())
        } catch let error as ConfigurationError {
            throw CommandFailure(status: .configuration, error: error)
        }
    }

    /// The job ready to run: providers set up, secrets still where they are.
    func load(_ positional: String? = nil, log: Logger) throws -> Job {
        let plan = try plan(positional)
        if let exposure = plan.exposure {
            log.warning(
                "\(plan.file) is not safe from other users: \(exposure)",
                metadata: ["code": "job_exposed"])
        }
        let runner = ProgramRunner(keeper: try Keeper.installed(), log: log)
        var job = Job(
            name: plan.name, host: plan.host ?? hostName(), staging: plan.staging,
            parallel: plan.parallel ?? processorCount(),
            retry: plan.retry, anomalies: plan.anomalies,
            sources: zip(plan.dumps, plan.providers(by: runner)).map { dump, provider in
                Job.Source(
                    name: dump.name, kind: dump.kind.name, provider: provider, deadline: dump.settings.deadline)
            },
            quiescence: plan.quiescence.map { settings in
                ApplicationFreeze(
                    freeze: settings.freeze, thaw: settings.thaw, deadline: settings.deadline,
                    lock: plan.staging.appending("freeze-lock"), runner: runner)
            },
            repositories: plan.repositories.map { repository in
                Job.Repository(name: repository.name, settings: repository.settings) {
                    try repository.settings.requireControlOfKeys()
                    return BorgRepository(
                        name: repository.name, settings: repository.settings,
                        passphrase: try await repository.settings.passphrase?.resolve(
                            for: "the passphrase of repository '\(repository.name)'", runner: runner), runner: runner,
                        log: log)
                }
            })
        job.file = plan.file
        job.dumpUsers = plan.dumps.compactMap(\.settings.programUser)
        return job
    }

    /// The job to take when none is named: the only one there is.
    private func onlyJob() throws -> String {
        let jobs = try JobFile.jobs()
        guard jobs.count <= 1 else {
            throw ValidationError(
                "which job? There are several in \(JobFile.directory())",
                hint: "Name one with --job: \(jobs.joined(separator: ", ")).")
        }
        guard let job = jobs.first else {
            throw ValidationError("there is no job in \(JobFile.directory())", hint: "Name a file: --config FILE.")
        }
        return job
    }

    static func absolute(_ path: String) -> FilePath {
        let path = FilePath(path)
        guard path.isRelative, let here = getcwd(nil, 0) else { return path }
        defer { free(here) }
        return FilePath(platformString: here).pushing(path).lexicallyNormalized()
    }

    private func processorCount() -> Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }
}
