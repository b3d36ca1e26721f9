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
    /// What the job file says, checked but with nothing looked up outside it.
    func read(_ positional: String? = nil) throws -> Job {
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
            if let name = job ?? positional {
                Console.shared.isAbout(job: name)
                return try JobFile.find(job: name)
            }
            return try JobFile.find(job: onlyJob())
        } catch let error as ConfigurationError {
            throw CommandFailure(status: .configuration, error: error)
        }
    }

    /// The job ready to run: providers set up, secrets still where they are.
    func load(_ positional: String? = nil, log: Logger) throws -> ReadyJob {
        let job = try read(positional)
        Console.shared.isAbout(job: job.name)
        if let exposure = job.exposure {
            log.warning(
                "\(job.file) is not safe from other users: \(exposure)",
                metadata: ["code": "job_exposed"])
        }
        let runner = ProgramRunner(keeper: try Keeper.installed(), log: log)
        return ReadyJob(
            job, providers: job.providers(by: runner),
            quiescence: job.freeze.map { settings in
                ApplicationFreeze(
                    freeze: settings.freeze, thaw: settings.thaw, deadline: settings.deadline,
                    lock: job.staging.appending("freeze-lock"), runner: runner)
            }, runner: runner
        ) { repository in
            try repository.settings.requireControlOfKeys()
            return BorgRepository(
                name: repository.name, settings: repository.settings,
                passphrase: try await repository.settings.passphrase?.resolve(
                    for: "the passphrase of repository '\(repository.name)'", runner: runner), runner: runner, log: log)
        }
    }

    /// The same of a job that is about to dump, or that is asked whether it could.
    func loadToDump(_ positional: String? = nil, log: Logger) throws -> ReadyJob {
        let job = try load(positional, log: log)
        try job.job.requireOwnPlace()
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
}
