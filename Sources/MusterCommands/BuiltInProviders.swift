import Directories
import Plugins
import PostgreSQL
import Settings

/// Every kind of provider that comes with the program, and the plugins that are installed. Nothing else knows one by name.
enum BuiltInProviders {
    static let kinds = ProviderKinds([.postgresql, .directory], further: .plugins)
    /// For documents, which are the same on every host.
    static let alone = ProviderKinds(kinds.builtIn)
}
