import SystemPackage

/// Every kind of provider that a job may name: those that come with the program, and those of plugins, which are found by name.
public struct ProviderKinds: Sendable, ExpressibleByArrayLiteral {
    /// Where plugins are found. A description that cannot be used is a fault of the job that names it, and of no other.
    public struct Further: Sendable {
        /// The kind of that name; nil if there is none.
        var find: @Sendable (_ name: String, _ directories: [FilePath]?) -> Result<ProviderKind?, Fault>
        /// The names that are there, be they of use or not.
        var names: @Sendable (_ directories: [FilePath]?) -> [String]

        public init(
            names: @escaping @Sendable ([FilePath]?) -> [String],
            find: @escaping @Sendable (String, [FilePath]?) -> Result<ProviderKind?, Fault>
        ) {
            (self.names, self.find) = (names, find)
        }
    }

    public let builtIn: [ProviderKind]
    private let further: Further?
    private var directories: [FilePath]?
    /// The only ones that count of those that are not built in; nil is all that are there.
    private var mentioned: Set<String>?

    public init(_ builtIn: [ProviderKind], further: Further? = nil) {
        (self.builtIn, self.further) = (builtIn, further)
    }

    public init(arrayLiteral kinds: ProviderKind...) { self.init(kinds) }

    /// The same, with further kinds looked for in these directories; nil is the usual ones.
    ///
    /// - Parameter mentioned: those that will be asked for, so that no others are read; nil is all that are there.
    public func looking(in directories: [FilePath]?, for mentioned: Set<String>? = nil) -> ProviderKinds {
        var others = self
        (others.directories, others.mentioned) = (directories, mentioned)
        return others
    }

    /// Nil if nothing is called so.
    public func kind(named name: String) throws(Fault) -> ProviderKind? {
        if let kind = builtIn.first(where: { $0.name == name }) { return kind }
        return try further?.find(name, directories).get()
    }

    /// The same, where the reason does not matter.
    public func find(_ name: String) -> ProviderKind? { try? kind(named: name) }

    /// Sorted after those that are built in.
    public var names: [String] {
        let builtIn = builtIn.map(\.name)
        return builtIn + (further?.names(directories).filter { !builtIn.contains($0) } ?? [])
    }

    /// The same without those that cannot be used.
    var usableNames: [String] { names.filter { find($0) != nil } }

    /// Those that can be used, with their settings.
    public var all: [ProviderKind] {
        builtIn + names.dropFirst(builtIn.count).filter { mentioned?.contains($0) ?? true }.compactMap(find)
    }
}

extension Fault: Error {}
