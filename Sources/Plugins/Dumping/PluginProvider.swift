import DumpCore
import Processes
import Settings

/// Dumps a source by a plugin: what it says is believed as far as it can be checked.
struct PluginProvider: UndoingProvider {
    let plugin: Plugin
    let settings: PluginSettings
    let means: ProviderMeans

    /// To look at a source takes no longer.
    static let preparing = Duration.seconds(300)
    /// To open a point in time: all other sources wait for it.
    static let freezing = Duration.seconds(120)
    /// To undo one change.
    static let undoing = Duration.seconds(300)

    func prepare(in run: RunContext) async throws(DumpError) -> any PreparedSource {
        let source = try await PluginSource(plugin, settings, by: means, dump: run.dump)
        let said = try await PluginProcess.perform(
            source.call(.prepare, in: run), by: means.runner, in: run, within: Self.preparing)
        guard !said.units.isEmpty else {
            throw DumpError(
                .incompleteDump, "plugin '\(plugin.name)' found nothing to dump, and did not say why",
                hint: "This is a fault of the plugin: a source with nothing to dump must be an error.")
        }
        return PreparedPlugin(source: source, said: said)
    }

    func undo(_ record: UndoRecord, in run: RunContext) async throws(DumpError) {
        guard record.kind == PluginChange.kind(of: plugin.name) else { throw DumpError(unknown: record) }
        let source = try await PluginSource(plugin, settings, by: means, dump: run.dump)
        try await source.undo(PluginChange(of: record), in: run)
    }
}

extension PluginSource {
    /// Undoes a change by the plugin's own means.
    func undo(_ change: PluginChange, in run: RunContext) async throws(DumpError) {
        guard plugin.description.verbs.contains(.undo) else {
            throw DumpError(
                .pluginUnsuitable,
                "plugin '\(plugin.name)' has made a change (\(change.said.kind)), and cannot undo it",
                hint: "Undo it by hand, and then remove the file of the record.")
        }
        try await PluginProcess.undo(change, by: call(.undo, in: run), runner, in: run)
    }
}

/// A source that a plugin has looked at.
struct PreparedPlugin: PreparedSource {
    let source: PluginSource
    let said: PluginTranscript

    var facts: ErrorContext {
        var facts: ErrorContext = ["plugin": "\(source.plugin.name) \(source.plugin.description.version)"]
        for fact in said.facts { facts[fact.name] = fact.value }
        return facts
    }

    var findings: [Finding] { said.findings.sorted { $0.severity > $1.severity } }
    var omissions: [Finding] { said.omissions }
    var units: [WorkUnit] { said.units }

    func freeze(in run: RunContext) async throws(DumpError) -> any FrozenSource {
        let dump = PluginDump(source: source, prepared: said, jobs: min(said.units.count, run.turns.slots.capacity))
        guard source.plugin.description.freeze == .session else { return FrozenPlugin(dump: dump, session: nil) }
        guard let directory = run.directory else {
            throw DumpError(.system, "there is no directory for the dump of plugin '\(source.plugin.name)' yet")
        }
        let progress = PluginProgress(said.units)
        let process = try dump.start(in: directory, run, progress)
        let moment = try await process.untilFrozen(within: PluginProvider.freezing)
        return FrozenPlugin(
            dump: dump,
            session: FrozenPlugin.Session(process: process, from: moment.from, to: moment.to, progress: progress))
    }
}
