import DumpCore
import Linux
import SystemPackage

/// Where things of an archive lie in the set: a tree that Borg read in place is in its dump.
struct PlacesInSet: Sendable {
    private let trees: [(reference: FilePath, place: FilePath)]

    /// - Parameter trees: where each is in the archive and where in the set.
    init(_ trees: [(reference: FilePath, place: FilePath)]) { self.trees = trees }

    init(_ manifest: Manifest) {
        trees = manifest.dumps.compactMap { dump in
            guard let reference = dump.tree?.reference, let place = dump.treePath else { return nil }
            return (FilePath(reference).inArchive, place)
        }
    }

    /// Nil for a path that is absolute, leads up, or is spelled in another way than the one there is.
    func path(of bytes: [UInt8]) -> FilePath? {
        // A directory ends with a slash.
        let trimmed = bytes.last == UInt8(ascii: "/") ? bytes.dropLast() : bytes[...]
        guard let path = FilePath(bytes: trimmed), Self.leadsDown(path) else { return nil }
        guard let tree = trees.first(where: { path.starts(with: $0.reference) }) else { return path }
        var rest = path
        guard rest.removePrefix(tree.reference) else { return nil }
        let moved = tree.place.pushing(rest)
        return Self.leadsDown(moved) ? moved : nil
    }

    private static func leadsDown(_ path: FilePath) -> Bool {
        path.isRelative && !path.isEmpty && path.components.allSatisfy { $0.kind == .regular }
    }
}
