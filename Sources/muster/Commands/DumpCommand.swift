import ArgumentParser
import DumpCore
import Pipeline

struct DumpCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dump", abstract: "Dump, seal and publish; or dump by hand into a directory.",
        discussion: """
            Without --into, all dumps of the job are taken and published as the job's current set. With --into, the named dumps, or \
            all, are taken into a new directory, and the published set is left alone.

            \(ExitStatus.help(.dumpFailed, .locked))
            """)

    @Argument(help: ArgumentHelp("The dumps to take; needs --into.", valueName: "name")) var names: [String] = []
    @Option(help: ArgumentHelp("A directory that does not exist yet, or is empty.", valueName: "dir")) var into: String?
    @Flag(help: sizesHelp) var acceptSizes = false
    @OptionGroup var jobOptions: JobOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var progress: ProgressOptions

    func validate() throws {
        if !names.isEmpty && into == nil {
            throw ValidationError(
                "A set that is published holds every dump of its job. To take only \(names.joined(separator: ", ")), say where: --into DIR."
            )
        }
        if acceptSizes && into != nil {
            throw ValidationError("A dump by hand is no measure for others: --accept-sizes does not go with --into.")
        }
    }

    func run() async throws {
        let log = output.logger()
        progress.begin(output, log: log)
        var job = try jobOptions.load(log: log)
        try job.keep(names)
        let run = Run(job, tool: toolRecord, display: ProgressFeed.shared, acceptsSizes: acceptSizes, log: log)
        if let into {
            try await run.perform(into: JobOptions.absolute(into)).tell(output)
        } else {
            try await run.perform(.dump).tell(output)
        }
    }
}

extension Job {
    /// Leaves only these dumps, all if none is named.
    fileprivate mutating func keep(_ names: [String]) throws {
        let known = sources.map(\.name)
        for name in names where !known.contains(name) {
            throw ValidationError(
                "The job '\(self.name)' has no dump '\(name)'. \(suggestion(for: name, among: known))"
                    + "It has: \(known.joined(separator: ", ")).")
        }
        if !names.isEmpty { sources.removeAll { !names.contains($0.name) } }
    }
}
