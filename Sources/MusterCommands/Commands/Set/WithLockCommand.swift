import ArgumentParser
import Catalog
import DumpCore
import Glibc
import Jobs
import MusterConfig
import Pipeline
import Processes
import Reporting
import Settings
import Staging
import SystemPackage

/// Becomes the command by exec(2), with the lock's descriptor: nothing is left to supervise it, and its exit status and
/// signals are its own.
struct WithLockCommand: MusterCommand {
    static let manual = CommandManual(
        "with-lock", "Run another program, such as your own Borg job, on the published set while it cannot change.",
        usage: "muster with-lock [<job>] [--max-age <duration>] [--wait <duration>] -- <command> ...",
        story: """
            Muster does not start the command unless the set is whole, comes from the last run that dumps, and is not too old. The command \
            finds the set's directory in MUSTER_SET; its input, output, environment and working directory are those of muster. The lock \
            lasts until the command has ended, and every child of it that keeps the descriptor open.
            """,
        examples: [
            "muster with-lock nightly -- sh -c 'ls $MUSTER_SET'": "Look at the set.",
            "muster with-lock nightly --max-age 26h -- /usr/local/bin/my-borg-job":
                "Refuse a set that is older than a day.",
            "muster with-lock nightly --wait 0 -- rsync -a /var/lib/muster/nightly/current/ host:":
                "Do not wait for a run.",
        ],
        statuses: StatusTable(
            note: "That of the command itself. If it was not started:",
            rows: [
                StatusTable.Row(statuses: "3", meaning: "no set, not of the last run that dumps, or too old"),
                StatusTable.Row(statuses: "5", meaning: ExitStatus.verificationFailed.meaning),
                StatusTable.Row(statuses: "6", meaning: "a run held the lock for longer than --wait"),
                StatusTable.Row(statuses: "64", meaning: "the command line is wrong, or the command cannot be started"),
                StatusTable.Row(statuses: "78", meaning: ExitStatus.configuration.meaning), StatusTable.signals,
            ]))

    @Argument(help: jobHelp, completion: .jobs) var positionalJob: String?
    @OptionGroup var jobOptions: JobOptions
    @Option(
        help: ArgumentHelp(
            "How old the set may be, such as 26h, counted from its freeze; overrides max_age of the job file.",
            valueName: "duration"), transform: durationArgument)
    var maxAge: Duration?
    @Option(
        help: ArgumentHelp("How long to wait for a run to end; with 0, not at all.", valueName: "duration"),
        transform: durationArgument)
    var wait = Duration.seconds(600)
    @Argument(parsing: .postTerminator, help: "The program to run and its arguments.") var command: [String] = []

    func validate() throws {
        guard command.isEmpty else { return }
        throw ValidationError("which command?", hint: "Write it after two dashes: muster with-lock -- COMMAND.")
    }

    func run() async throws {
        let job = try jobOptions.read(positionalJob)
        let lent = try await borrow(job, maxAge: maxAge ?? job.maxAge)
        setenv("MUSTER_SET", lent.set.root.string, 1)
        let failure = ProcessReplacement.become(command)
        throw CommandFailure(
            status: .usage,
            error: DumpError(
                .programUnsuitable, "cannot start \(command[0]): \(failure)",
                hint: "Write the program after two dashes, by its path if it is not in PATH."))
    }

    /// The set, its lock to be kept by the command. Every failure ends with a status that no other tool takes for a warning, as 1 is to some who run Borg.
    private func borrow(_ job: Job, maxAge: Duration?) async throws -> LentSet {
        let program = FilePath(command[0]).lastComponent?.string ?? command[0]
        do {
            let lent = try await LentSet.lend(
                from: job.staging, of: job.name, job.file, to: "muster with-lock \(job.name) -- \(program)",
                patience: wait, maxAge: maxAge,
                log: OutputOptions.logger(.notice))
            try lent.lock.keepOverExec()
            return lent
        } catch let error as StagingError {
            switch error.code {
            case .locked: throw CommandFailure(status: .locked, error: error)
            case .anotherJob: throw CommandFailure(status: .configuration, error: error)
            case .notASet, .damagedSet, .newerFormat: throw CommandFailure(status: .verificationFailed, error: error)
            default: throw CommandFailure(status: .dumpFailed, error: error)
            }
        } catch let error as DumpError {
            throw CommandFailure(status: .dumpFailed, error: error)
        }
    }
}
