import DumpCore
import Processes
import Settings

extension ProviderKind {
    /// The kind that a plugin adds.
    public init(plugin: Plugin) {
        var restorer: (@Sendable (ProgramRunner) -> any Restorer)?
        if plugin.description.verbs.contains(.restore) {
            restorer = { PluginRestorer(plugin: plugin, runner: $0) }
        }
        self.init(
            plugin.name, plugin.description.summary, shape: plugin.description.dumpShape,
            restorer: restorer
        ) { (all: [PluginSettings], means: ProviderMeans) -> [any Provider] in
            all.map { PluginProvider(plugin: plugin, settings: $0, means: means) }
        }
    }
}
