import ArgumentParser
import MusterConfig

struct ConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Check and show job files.",
        subcommands: [Check.self, Show.self, Schema.self])

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check a job file: all errors at once, nothing looked up outside it.",
            discussion: ExitStatus.help())
        @Argument(help: "The job file.") var file: String

        func run() async throws {
            let plan = try JobOptions(file: file).plan()
            Console.shared.result(
                "\(file): job '\(plan.name)' with \(plan.dumps.count) dumps and \(plan.repositories.count) repositories"
            )
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a job as it will run: every default filled in, commands that yield secrets left out.",
            discussion: ExitStatus.help())
        @Argument(help: "The job file.") var file: String

        func run() async throws { Console.shared.result(try JobOptions(file: file).plan().yaml) }
    }

    struct Schema: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print the JSON Schema of job files, for editors and other programs.",
            discussion: ExitStatus.help())

        func run() async throws { Console.shared.result(JobPlan.schema(kinds: BuiltInProviders.kinds)) }
    }
}

extension JobOptions {
    fileprivate init(file: String) {
        self.init()
        config = file
        job = nil
    }
}
