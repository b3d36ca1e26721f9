import ArgumentParser
import DumpCore
import Linux
import Logging
import Processes
import Restoring
import SystemPackage

/// What a restore works with, whatever it restores.
struct RestoreOptions: ParsableArguments {
    @Option(help: ArgumentHelp("How many processes may work at once. Not set: one per core.", valueName: "n"))
    var jobs: Int?
    @Option(
        help: ArgumentHelp(
            "Where to put what is fetched until it is restored. Not set: TMPDIR or /var/tmp, or beside a directory that is restored.",
            valueName: "dir"))
    var work: String?
    @OptionGroup var state: StateOption
    @Option(
        help: ArgumentHelp(
            "A directory of plugins; may be given several times. Not set: those of the job, or /etc/muster/plugins and those that came with Muster.",
            valueName: "dir"))
    var pluginPath: [String] = []

    func validate() throws {
        guard let jobs, !(1...64).contains(jobs) else { return }
        throw ValidationError("--jobs \(jobs) is not from 1 to 64", hint: "Give the number of processes, such as 4.")
    }

    var processes: Int { jobs ?? min(processorCount, 64) }
    private var workDirectory: FilePath? { work.map { JobOptions.absolute($0) } }
    var root: FilePath { state.root }

    /// Makes the area if there is none.
    ///
    /// - Parameter plugins: where those of the job are, if there is one that says so.
    func means(plugins: [FilePath]? = nil, log: Logger) async throws -> RestoreMeans {
        try await means(in: restoring { try await RestoreArea.open(root) }, plugins: plugins, log: log)
    }

    func means(in area: RestoreArea, plugins: [FilePath]? = nil, log: Logger) throws -> RestoreMeans {
        RestoreMeans(
            in: area, by: try restorers(plugins: plugins, log: log), base: workDirectory, display: ProgressFeed.shared,
            log: log)
    }

    func restorers(plugins: [FilePath]? = nil, log: Logger) throws -> Restorers {
        let named = pluginPath.isEmpty ? plugins : pluginPath.map { JobOptions.absolute($0) }
        return Restorers(
            BuiltInProviders.kinds.looking(in: named), runner: ProgramRunner(keeper: try Keeper.installed(), log: log))
    }
}

/// Where restores and drills of this host keep what outlives them.
struct StateOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Where restores keep their undo journal, and drills their results. Not set: /var/lib/muster/restore, or below your home directory.",
            valueName: "dir"))
    var state: String?

    var root: FilePath { state.map { JobOptions.absolute($0) } ?? RestoreArea.usualRoot() }
}

/// Gives the error of a restore or drill its exit status.
func restoring<Result>(_ work: () async throws -> Result) async throws -> Result {
    do {
        return try await work()
    } catch let error as any OperatorError {
        throw CommandFailure(status: .restoreFailed, error: error)
    }
}
