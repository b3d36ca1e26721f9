import Directories
import DumpCore
import Plugins
import PostgreSQL
import Settings

/// Every kind of provider that comes with the program, and the plugins that are installed. Nothing else knows one by name.
enum BuiltInProviders {
    static let kinds = ProviderKinds([.postgresql, .directory, .command], further: .plugins)
    /// For documents, which are the same on every host.
    static let alone = ProviderKinds(kinds.builtIn)

    /// Throws for the name of a kind that is built in: a job would never reach a plugin that is called so.
    static func requireFree(_ name: String) throws(DumpError) {
        guard alone.names.contains(name) else { return }
        throw DumpError(
            .settings, "no plugin can be called '\(name)': a kind that is built in has this name",
            hint: "Call it otherwise: its directory, its program, and the name in plugin.json.")
    }
}
