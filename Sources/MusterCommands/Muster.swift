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
        } catch {
            return end(CommandEnding(of: error, arguments), inJSON: arguments.prefix { $0 != "--" }.contains("--json"))
        }
    }

    private static func end(_ ending: CommandEnding, inJSON: Bool) -> Int32 {
        ending.tell(inJSON: inJSON)
        if ending.help != nil, let failure = ResultCheck.failure {
            Console.shared.error(failure.description)
            return ExitStatus.failed.rawValue
        }
        return ending.status
    }
}

let toolVersion = "0.1.0"
let toolRecord = Manifest.Tool(name: "muster", version: toolVersion)
