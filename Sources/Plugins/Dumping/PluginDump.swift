import DumpCore
import Linux
import SystemPackage

/// One dump by a plugin: how its process is started, and how what it wrote is checked.
struct PluginDump: Sendable {
    let source: PluginSource
    let prepared: PluginTranscript
    /// How many things it may do at once.
    let jobs: Int
    /// The log of the process that writes the dump.
    let log = PluginLog()

    /// Starts the process that writes the dump. The directory is its own from now on.
    func start(
        in directory: FilePath, _ run: RunContext, _ progress: PluginProgress
    ) throws(DumpError) -> PluginProcess {
        do {
            if let user = try source.user() { try GivenDirectory(directory).give(to: user) }
        } catch let error as DumpError {
            throw error
        } catch {
            throw DumpError(
                .system, "cannot give \(directory) to user '\(source.settings.runAs ?? "")': \(error)",
                hint: "Run Muster as root, or leave out run_as.")
        }
        var call = try source.call(.dump, in: run, jobs: jobs)
        call.directory = directory
        return PluginProcess(
            call, by: source.runner, in: run, known: prepared.units, tail: log
        ) { change, run throws(DumpError) in
            try await source.undo(change, in: run)
        } onProgress: {
            await progress.moved($0, to: $1)
        }
    }

    /// Throws unless the directory holds every unit and nothing else, and is ours alone.
    func check(_ said: PluginTranscript, in directory: FilePath) async throws(DumpError) {
        let user = try source.user()
        let units = Set((prepared.units + said.units).map(\.path))
        try await onOwnThreadUntilCancelled { stop throws(DumpError) in
            do {
                try GivenDirectory(directory).takeBack(from: user, isDeep: true) {
                    if stop.isRaised { throw DumpError(.cancelled, "the dump was cancelled while it was checked") }
                }
                try check(units, FileTree(directory).entries(), directory)
            } catch let error as DumpError {
                throw error
            } catch let foreign as ForeignFile {
                throw DumpError(
                    .incompleteDump, "the dump is not what a plugin may write: \(foreign)",
                    hint: "A plugin writes regular files and directories, each of its own.")
            } catch {
                throw DumpError(.system, "cannot look at what the plugin wrote: \(error)")
            }
        }
    }

    private func check(_ units: Set<FilePath>, _ entries: [FileTree.Entry], _ directory: FilePath) throws(DumpError) {
        let name = source.plugin.name
        let there = Set(entries.map(\.path))
        if let missing = units.subtracting(there).min(by: { $0.string < $1.string }) {
            throw DumpError(
                .incompleteDump, "plugin '\(name)' said that the dump is complete, and '\(missing)' is not there",
                hint: DumpError.faultOfPlugin)
        }
        let parents = Set(units.flatMap { $0.beginnings.dropLast() })
        for entry in entries {
            let isPart = entry.path.beginnings.contains { units.contains($0) }
            let isOnTheWay = entry.status.kind == .directory && parents.contains(entry.path)
            guard isPart || isOnTheWay else {
                throw DumpError(
                    .incompleteDump, "plugin '\(name)' wrote '\(entry.path)', which belongs to none of its units",
                    hint: DumpError.faultOfPlugin)
            }
        }
        guard entries.contains(where: { $0.status.kind == .file && $0.status.bytes > 0 }) else {
            throw DumpError(
                .incompleteDump, "plugin '\(name)' said that the dump is complete, and wrote nothing into its files",
                hint: DumpError.faultOfPlugin)
        }
    }

    /// What is recorded of a dump that was checked.
    func summary(of said: PluginTranscript, from start: Timestamp, to end: Timestamp) throws(DumpError) -> DumpSummary {
        if let failure = (said.findings + said.omissions).first(where: { $0.severity == .failure }) {
            throw DumpError(
                DumpError.Code(rawValue: failure.code), failure.message, hint: failure.hint,
                context: ["object": failure.object])
        }
        let paths = Set((prepared.units + said.units).map(\.path))
        guard said.databases.allSatisfy({ FilePath($0.path).beginnings.contains { paths.contains($0) } }) else {
            throw DumpError(
                .pluginProtocol, "plugin '\(source.plugin.name)' said a database that is in none of its units",
                hint: DumpError.faultOfPlugin)
        }
        var identity = PreparedPlugin(source: source, said: prepared).facts
        for fact in said.facts { identity[fact.name] = fact.value }
        let kind = said.summary?.consistency ?? .live
        return DumpSummary(
            identity: identity,
            moment: Moment(kind, from: start, to: kind == .exact ? end : .now, evidence: said.summary?.evidence ?? [:]),
            findings: said.findings, omissions: said.omissions, databases: said.databases)
    }
}
