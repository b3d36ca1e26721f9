import ArgumentParser
import Linux
import Logging
import Settings

/// Which job a command is about.
struct JobOptions: ParsableArguments {
    @Option(name: .shortAndLong, help: ArgumentHelp("The job file.", valueName: "file"))
    var config: String?

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("The job /etc/muster/<job>.yaml. May be left out when it is the only one.", valueName: "job")
    )
    var job: String?
}

/// How much a command says, and in which form.
struct OutputOptions: ParsableArguments {
    @Flag(help: "Print the result as JSON on standard output.")
    var json = false

    @Flag(name: .shortAndLong, help: "Say nothing unless something is wrong.")
    var quiet = false

    @Flag(name: .shortAndLong, help: "Say more: -v each step, -vv each program and what it says.")
    var verbose: Int

    /// A logger as loud as was asked for. Standard output stays free for results.
    func logger() -> Logger {
        let level: Logger.Level =
            switch (quiet, verbose) {
            case (true, _): .warning
            case (_, 0): .notice
            case (_, 1): .info
            default: .debug
            }
        return Self.logger(level)
    }

    static func logger(_ level: Logger.Level) -> Logger {
        Logger(label: "muster", factory: { _ in ConsoleLog(logLevel: level) })
    }
}

/// Of the flag `--accept-sizes`.
let sizesHelp: ArgumentHelp =
    "Take the sizes of this run's dumps as right, and as the measure for later runs, whatever 'anomalies:' says."

/// Whether and how progress is shown.
struct ProgressOptions: ParsableArguments {
    enum Form: String, CaseIterable, ExpressibleByArgument { case auto, json, none }

    @Option(
        help: ArgumentHelp(
            "auto: lines on a terminal, else in the log with -v. json: one event on a line of standard error. none.",
            valueName: "form"))
    var progress = Form.auto

    /// Opens what progress is shown on. A service manager that listens is told in any case.
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
        throw ValidationError("\(fault.message). \(fault.hint ?? "")")
    }
    throw ValidationError("'\(text)' is no duration such as 90s, 5m, 6h or 1d.")
}
