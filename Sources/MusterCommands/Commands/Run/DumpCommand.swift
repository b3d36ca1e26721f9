import ArgumentParser
import DumpCore
import Jobs
import MusterConfig
import Pipeline

struct DumpCommand: MusterCommand {
    static let manual = CommandManual(
        "dump", "Take every dump and publish the set; or dump into a directory of your choice.",
        story: """
            Without --into, Muster takes all dumps of the job and publishes them as its current set. With --into, it takes the dumps that \
            you name, or all, into a new directory, and leaves the published set alone.
            """,
        examples: [
            "muster dump": "Take and publish the set of the only job.",
            "muster dump --job nightly":
                "Take and publish the set of this job; archive it later with muster archive nightly.",
            "muster dump app --into /srv/before-upgrade": "Dump app alone, before you change something.",
        ], statuses: .of(.dumpFailed, .locked))

    @Argument(help: ArgumentHelp("The dumps to take; only with --into.", valueName: "name"), completion: .dumps)
    var names: [String] = []
    @Option(help: ArgumentHelp("A directory that does not exist yet, or is empty.", valueName: "dir")) var into: String?
    @Flag(help: sizesHelp) var acceptSizes = false
    @OptionGroup var jobOptions: JobOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var progress: ProgressOptions

    func validate() throws {
        if !names.isEmpty && into == nil {
            throw ValidationError(
                "a published set holds every dump of its job, not only \(names.joined(separator: ", "))",
                hint: "\(jobHint)To take some dumps alone, name a directory: --into DIR.")
        }
        if acceptSizes && into != nil {
            throw ValidationError(
                "--accept-sizes does not go with --into: later runs are not measured by a dump by hand",
                hint: "Leave out one of the two.")
        }
    }

    /// For an operator who names the job, as with most commands.
    private var jobHint: String {
        // Without a directory of jobs there is nothing to suggest.
        let jobs = (try? JobFile.jobs()) ?? []
        guard names.count == 1, jobs.contains(names[0]) else { return "" }
        return "To name the job, write --job \(names[0]). "
    }

    func run() async throws {
        let log = output.logger(telling: true)
        progress.begin(output, log: log)
        var job = try into == nil ? jobOptions.loadToDump(log: log) : jobOptions.load(log: log)
        try job.keep(names)
        let run = Run(showing: job, acceptsSizes: acceptSizes, log: log)
        if let into {
            try await run.perform(into: JobOptions.absolute(into)).tell(output)
        } else {
            let ended = await run.perform(.dump)
            await job.job.writePage(log: log)
            try ended.tell(output)
        }
    }
}

extension ReadyJob {
    /// Leaves only these dumps, all if none is named.
    fileprivate mutating func keep(_ names: [String]) throws {
        let known = sources.map(\.name)
        for name in names where !known.contains(name) {
            throw ValidationError(
                "the job '\(self.name)' has no dump '\(name)'",
                hint: "\(suggestion(for: name, among: known))It has: \(known.joined(separator: ", ")).")
        }
        if !names.isEmpty { sources.removeAll { !names.contains($0.name) } }
    }
}
