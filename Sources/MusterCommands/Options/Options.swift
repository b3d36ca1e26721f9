import ArgumentParser
import Linux
import Logging
import Settings

/// Which job a command is about.
struct JobOptions: ParsableArguments {
    @Option(
        name: .shortAndLong, help: ArgumentHelp("A job file in another place.", valueName: "file"),
        completion: .file(extensions: ["yaml", "yml", "json"]))
    var config: String?

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("The job in /etc/muster/<job>.yaml; not needed when it is the only one.", valueName: "job"),
        completion: .jobs
    )
    var job: String?
}

/// The help of the job as a command's first word. `--job` says the same.
let jobHelp = ArgumentHelp("The job in /etc/muster/<job>.yaml; not needed when it is the only one.", valueName: "job")

/// How much a command says, and in which form.
struct OutputOptions: ParsableArguments {
    @Flag(help: "Print the result as JSON on standard output.")
    var json = false

    @Flag(name: .shortAndLong, help: "Print nothing unless something is wrong.")
    var quiet = false

    @Flag(name: .shortAndLong, help: "Print more: -v each step, -vv each program and what it prints.")
    var verbose: Int

    /// A logger as loud as was asked for. Standard output stays free for results.
    ///
    /// - Parameter telling: whether the command ends with a result that tells what its log does, so that a person need not read both.
    func logger(telling: Bool = false) -> Logger {
        let level: Logger.Level =
            switch (quiet, verbose) {
            case (true, _): .warning
            case (_, 0): .notice
            case (_, 1): .info
            default: .debug
            }
        return Self.logger(level, isCalm: telling && verbose == 0 && !quiet && !json && Console.shared.isWatched)
    }

    static func logger(_ level: Logger.Level, isCalm: Bool = false) -> Logger {
        Logger(label: "muster", factory: { _ in ConsoleLog(logLevel: level, isCalm: isCalm) })
    }
}

/// The help of the flag `--accept-sizes`.
let sizesHelp: ArgumentHelp =
    "Accept the sizes of this run's dumps, and measure later runs by them, whatever 'anomalies:' says."

/// Whether and how progress is shown.
struct ProgressOptions: ParsableArguments {
    enum Form: String, CaseIterable, ExpressibleByArgument { case auto, json, none }

    @Option(
        help: ArgumentHelp(
            "auto: live lines on a terminal, otherwise the log with -v. json: one event per line of standard error. none: nothing.",
            valueName: "form"))
    var progress = Form.auto

    /// Opens what progress is shown on. A service manager that listens gets it in any case.
    func begin(_ output: OutputOptions, log: Logger) {
        let service = ServiceNotification.fromEnvironment.map { ServiceProgress(service: $0) }
        ProgressFeed.shared.begin([form(output, log), service].compactMap(\.self))
    }

    private func form(_ output: OutputOptions, _ log: Logger) -> (any ProgressOutput)? {
        switch progress {
        case .json: ScriptProgress()
        case .auto where !output.quiet && Console.shared.canDraw: TerminalProgress()
        case .auto where log.logLevel <= .info: LoggedProgress(log: log)
        case .auto, .none: nil
        }
    }
}

/// A duration on the command line, written as in job files.
func durationArgument(_ text: String) throws -> Duration {
    if let duration = Duration(settingsText: text) { return duration }
    if let fault = Duration.missingUnit(in: text) {
        throw ValidationError(fault.message, hint: fault.hint ?? "")
    }
    throw ValidationError("'\(text)' is not a duration", hint: "Write it as 90s, 5m, 6h or 1d.")
}
