import Directories
import PostgreSQL
import Settings

/// Every kind of provider that comes with the program. Nothing else knows one by name.
enum BuiltInProviders {
    static let kinds: [ProviderKind] = [.postgresql, .directory]
}
