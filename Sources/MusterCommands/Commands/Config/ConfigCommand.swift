import ArgumentParser
import Jobs
import Linux
import MusterConfig
import SystemPackage

struct ConfigCommand: MusterCommand {
    static let manual = CommandManual(
        "config", "Check, show and write job files.",
        examples: [
            "muster config check /etc/muster/nightly.yaml": "Find every mistake at once.",
            "muster config schema": "Print the JSON Schema, for an editor.",
        ])
    static let parts: [any MusterCommand.Type] = [Check.self, Show.self, Schema.self, GenerateCommand.self]

    struct Check: MusterCommand {
        static let manual = CommandManual(
            "check", "Report every mistake in a job file at once, without looking outside the file.",
            examples: [
                "muster config check /etc/muster/nightly.yaml": "Check this file.",
                "muster config check nightly": "Check the file of this job.",
            ])
        @Argument(help: fileHelp) var file: String
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let job = try JobOptions(file: file).read()
            if output.json { return Console.shared.result(try json(Checked(job))) }
            guard !output.quiet else { return }
            let (dumps, repositories) = (job.dumps.count, job.repositories.count)
            Console.shared.result("\(file): job '\(job.name)' with \(dumps) dumps and \(repositories) repositories")
        }

        private struct Checked: Encodable {
            var job: String
            var dumps: [String]
            var repositories: [String]

            init(_ job: Job) {
                self.job = job.name
                dumps = job.dumps.map(\.name)
                repositories = job.repositories.map(\.name)
            }
        }
    }

    struct Show: MusterCommand {
        static let manual = CommandManual(
            "show", "Show a job as it will run: with every default, without the commands that print secrets.",
            examples: [
                "muster config show nightly": "Show the job as YAML.",
                "muster config show ./trial.yaml --json": "Show a job file from another place as JSON.",
            ])
        @Argument(help: fileHelp) var file: String
        @Flag(help: "Print it as JSON instead of YAML.") var json = false

        func run() async throws {
            let job = try JobOptions(file: file).read()
            Console.shared.result(json ? job.json : job.yaml)
        }
    }

    struct Schema: MusterCommand {
        static let manual = CommandManual(
            "schema", "Print the JSON Schema of job files, for editors and other programs.",
            examples: [
                "muster config schema": "Print it.",
                "muster config schema > /etc/muster/schema.json": "Keep it where an editor finds it.",
            ])

        func run() async throws { Console.shared.result(Job.schema(kinds: BuiltInProviders.kinds)) }
    }
}

private let fileHelp = ArgumentHelp("A job file, or the name of a job in /etc/muster.", valueName: "file")

extension JobOptions {
    /// A word without a slash and a dot is the name of a job, unless a file is called so.
    fileprivate init(file: String) {
        self.init()
        let isJob = !file.contains { "/.".contains($0) } && (try? FileSystem.status(of: FilePath(file))) == nil
        (config, job) = isJob ? (nil, file) : (file, nil)
    }
}
