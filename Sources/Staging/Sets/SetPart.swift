import DumpCore
import SystemPackage

/// One dump of a set, or what is at one path of it.
public struct SetPart: Sendable, Hashable {
    /// The dump's name.
    public var dump: String
    /// A file or a directory, relative to the set: it begins with the dump's directory.
    public var path: FilePath
    /// The inventory of the tree that it is in, relative to the set; nil unless the dump is a tree.
    public var inventory: FilePath?

    public init(of dump: Manifest.DumpRecord, path: FilePath) {
        self.dump = dump.name
        self.path = path
        inventory = dump.inventoryPath
    }

    /// Whether a file of the set is of it.
    public func covers(_ file: FilePath) -> Bool { file.starts(with: path) }

    /// What vouches for it, relative to the set.
    public var vouchers: [FilePath] {
        [FilePath(root: nil, [SetLayout.manifest]), SetLayout.checksums(ofDump: dump)] + [inventory].compactMap(\.self)
    }

    /// What of the vouchers is not wanted for itself, with the directory that the lists alone lie in.
    public var scaffolding: [FilePath] {
        let names = [SetLayout.manifest, SetLayout.checksums].map { FilePath(root: nil, [$0]) }
        return names + [inventory].compactMap(\.self).filter { !covers($0) }
    }
}

/// Parts of any dumps of a set.
extension [SetPart] {
    /// Whether a file of the set is of one of them.
    public func cover(_ file: FilePath) -> Bool { contains { $0.covers(file) } }

    func isAny(of dump: Manifest.DumpRecord) -> Bool { contains { $0.dump == dump.name } }

    /// What vouches for them, each once.
    public var vouchers: [FilePath] {
        flatMap(\.vouchers).reduce(into: []) { all, path in if !all.contains(path) { all.append(path) } }
    }
}
