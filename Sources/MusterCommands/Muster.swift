import ArgumentParser
import DumpCore
import Glibc
import Reporting

struct Muster: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "muster",
        abstract: "Take consistent dumps, seal them as one set, and only then let Borg archive them.",
        usage: "muster <command> [<job>] [<option> ...]",
        discussion: """
            A job file says what to dump, where to stage it, and which Borg repositories receive it. If one dump fails, nothing is \
            published and no archive is made.

            Begin with muster demo, or with muster check.
            """,
        version: toolVersion,
        subcommands: [DocumentsCommand.self],
        groupedSubcommands: commandGroups)

    /// Parses the command line, runs the command, says what went wrong. Returns the exit status.
    static func end(_ arguments: ArraySlice<String>) async -> Int32 {
        let status = await perform(arguments)
        ProgressFeed.shared.end(status)
        return status
    }

    private static func perform(_ arguments: ArraySlice<String>) async -> Int32 {
        do {
            try requireKnown(arguments)
            var command = try await asyncParseAsRoot(Array(arguments))
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
            try ResultCheck.requireArrival(of: command)
            return ExitStatus.done.rawValue
        } catch let failure as CommandFailure {
            Console.shared.error(failure.error.description)
            if let line = failure.lastLine { Console.shared.plainError(line) }
            let stopped = failure.isOnRecord ? nil : SignalWait.signal
            return stopped.map { 128 + $0 } ?? failure.status.rawValue
        } catch let error as any OperatorError {
            Console.shared.error(error.description)
            return SignalWait.signal.map { 128 + $0 } ?? ExitStatus.failed.rawValue
        } catch {
            return end(ofParsing: error, arguments)
        }
    }

    private static func end(ofParsing error: any Error, _ arguments: ArraySlice<String>) -> Int32 {
        if let signal = SignalWait.signal { return 128 + signal }
        let code = exitCode(for: error)
        let words = message(for: error)
        if code.isSuccess {
            Console.shared.result(withPlainHeadings(words))
        } else if !words.isEmpty {
            let wrong = CommandLineError(words, arguments: arguments)
            Console.shared.error(wrong.description)
            if code == .validationFailure { Console.shared.plainError(wrong.usage) }
        }
        if code.isSuccess, let failure = ResultCheck.failure {
            Console.shared.error(failure.description)
            return ExitStatus.failed.rawValue
        }
        return code.rawValue
    }
}

let toolVersion = "0.1.0"
let toolRecord = Manifest.Tool(name: "muster", version: toolVersion)
