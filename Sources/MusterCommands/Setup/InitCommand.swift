import ArgumentParser
import MusterConfig

struct InitCommand: MusterCommand {
    static let manual = CommandManual(
        "init", "Set up a job: ask what to back up and where to, write its file, and check it.",
        story: """
            Muster asks what to dump (it finds the PostgreSQL servers of this host), which directories to back up, and where to. It writes \
            a passphrase and a commented job file, checks the job, and offers to run it every night. It keeps what is there already, so running \
            it again does no harm. muster config generate does the same without asking.
            """,
        examples: [
            "muster init": "Set up the job nightly.",
            "muster init shop": "Set up a job of another name.",
        ], statuses: .of(.dumpFailed, .archiveFailed, .locked))

    @Argument(help: ArgumentHelp("The job's name.", valueName: "job")) var job = "nightly"

    func run() async throws {
        try JobFile.requireName(job)
        var interview = Interview()
        if JobFile.exists(job) {
            say("The job '\(job)' is there already, in \(JobFile.directory()). This checks it and goes on.")
        } else {
            let setup = JobSetup(try interview.answers(for: job))
            Console.shared.result(try setup.perform().asLines)
        }
        try await checked(job)
        let job = try JobFile.load(JobFile.find(job: job), kinds: BuiltInProviders.kinds)
        let schedule = Schedule(job: job)
        if let obstacle = schedule.obstacle {
            say("Not scheduled: \(obstacle)")
        } else if (try? interview.confirm("Run it every night?")) ?? false {
            defer { say(job.farewell) }
            return try await schedule.begin()
        }
        say(job.farewell)
    }
}

/// Runs the check as if it had been typed, and ends like it unless all is well.
func checked(_ job: String) async throws {
    say("$ muster check \(job)")
    let status = await Muster.end(["check", job])
    guard status == 0 else { throw ExitCode(status) }
}
