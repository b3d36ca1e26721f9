import ArgumentParser
import DumpCore
import Glibc
import Linux
import MusterConfig
import Pipeline
import Settings
import Staging
import SystemPackage

/// Becomes the command by exec(2), with the lock's descriptor: nothing of ours is left to supervise it, and its exit status and
/// signals are its own.
struct WithLockCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "with-lock",
        abstract: "Run another program, such as a Borg job of your own, on the published set while it cannot change.",
        usage: "muster with-lock [<job>] [--max-age <duration>] [--wait <duration>] -- <command> ...",
        discussion: """
            The command is not started unless the set is whole, is of the last run that dumps, and is not too old. It finds the set's \
            directory in MUSTER_SET; its input, output, environment and working directory are those of muster. The lock \
            lasts until the command, and every child of it that keeps the descriptor open, has ended.

            EXIT STATUS: that of the command. If it was not started:
              3   no set, not of the last run that dumps, or too old
              5   \(ExitStatus.verificationFailed.meaning)
              6   a run held the lock for longer than --wait
              64  the command line is wrong, or the command cannot be started
              78  \(ExitStatus.configuration.meaning)
              130, 143  interrupted, terminated
            """)

    @Argument(help: "The job, as with --job.") var positionalJob: String?
    @OptionGroup var jobOptions: JobOptions
    @Option(
        help: ArgumentHelp(
            "How long ago the set's dumps may have been frozen, such as 26h; over max_age of the job file.",
            valueName: "duration"), transform: durationArgument)
    var maxAge: Duration?
    @Option(
        help: ArgumentHelp("How long to wait for a run to end; 0 does not wait.", valueName: "duration"),
        transform: durationArgument)
    var wait = Duration.seconds(600)
    @Argument(parsing: .postTerminator, help: "The program to run and its arguments.") var command: [String] = []

    func validate() throws {
        guard command.isEmpty else { return }
        throw ValidationError("Which command? Write it after two dashes: muster with-lock -- COMMAND.")
    }

    func run() async throws {
        let plan = try jobOptions.plan(positionalJob)
        let lent = try await borrow(plan, maxAge: maxAge ?? plan.maxAge)
        setenv("MUSTER_SET", lent.set.root.string, 1)
        let failure = StartingConditions.become(command)
        throw CommandFailure(
            status: .usage,
            error: DumpError(
                .programUnsuitable, "cannot start \(command[0]): \(failure)",
                hint: "Write the program after two dashes, by its path if it is not in PATH."))
    }

    /// The set, its lock to be kept by the command. Every failure ends with a status that no other tool takes for a warning, as 1 is to some who run Borg.
    private func borrow(_ plan: JobPlan, maxAge: Duration?) async throws -> LentSet {
        let program = FilePath(command[0]).lastComponent?.string ?? command[0]
        do {
            let lent = try await LentSet.lend(
                from: plan.staging, of: plan.name, plan.file, to: "muster with-lock \(plan.name) -- \(program)",
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
