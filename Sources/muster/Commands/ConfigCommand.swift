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
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let plan = try JobOptions(file: file).plan()
            if output.json { return Console.shared.result(try json(Checked(plan))) }
            guard !output.quiet else { return }
            let (dumps, repositories) = (plan.dumps.count, plan.repositories.count)
            Console.shared.result("\(file): job '\(plan.name)' with \(dumps) dumps and \(repositories) repositories")
        }

        private struct Checked: Encodable {
            var job: String
            var dumps: [String]
            var repositories: [String]

            init(_ plan: JobPlan) {
                job = plan.name
                dumps = plan.dumps.map(\.name)
                repositories = plan.repositories.map(\.name)
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a job as it will run: every default filled in, commands that yield secrets left out.",
            discussion: ExitStatus.help())
        @Argument(help: "The job file.") var file: String
        @Flag(help: "Print it as JSON instead of YAML.") var json = false

        func run() async throws {
            let plan = try JobOptions(file: file).plan()
            Console.shared.result(json ? plan.json : plan.yaml)
        }
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
