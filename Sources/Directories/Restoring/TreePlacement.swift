import DumpCore
import Linux
import SystemPackage

/// What of a tree is to be restored, and where.
struct TreePlacement: Sendable {
    /// Relative to the tree; empty for all of it.
    var item: FilePath
    /// As the operator named it.
    var name: String
    var target: FilePath
    /// What that which is at the target now will be called. Nil if nothing may be there.
    var kept: FilePath?

    /// Whether something is at the target, which gives way.
    var replaces: Bool { kept != nil && (try? FileSystem.status(of: target)) != nil }
}

extension RestoreRequest {
    /// What is restored where, by the items and the placement. Throws for what cannot be meant.
    func placements(of original: FilePath, at run: RunID) throws(DumpError) -> [TreePlacement] {
        let time = String(run.description.prefix { $0 != "-" })
        let items = items.isEmpty ? [""] : items
        if case .named = placement, items.count > 1 {
            throw DumpError(
                .settings, "\(items.count) items cannot all have one name", hint: "Restore them one by one, or beside.")
        }
        var placements: [TreePlacement] = []
        for item in items {
            let path = try Self.path(item)
            let own = original.pushing(path)
            let name = item.isEmpty ? original.string : item
            switch placement {
            case .beside:
                placements.append(TreePlacement(item: path, name: name, target: own.called("restored_\(time)")))
            case .named(let name):
                guard FilePath(name).isAbsolute else {
                    throw DumpError(
                        .settings, "'\(name)' is not an absolute path", hint: "Name one that begins with /.")
                }
                placements.append(
                    TreePlacement(
                        item: path, name: item.isEmpty ? original.string : item,
                        target: FilePath(name).lexicallyNormalized()))
            case .replacing:
                placements.append(
                    TreePlacement(item: path, name: name, target: own, kept: own.called("before_\(time)")))
            }
        }
        try Self.requireApart(placements)
        return placements
    }

    private static func path(_ item: String) throws(DumpError) -> FilePath {
        let path = FilePath(item)
        guard path.isRelative, path.components.allSatisfy({ $0.kind == .regular }) else {
            throw DumpError(
                .settings, "'\(item)' is not a path in the tree",
                hint: "Name files and directories as they are below the dump's tree, such as letters/first.")
        }
        return path
    }

    /// What is in another would be restored twice.
    private static func requireApart(_ placements: [TreePlacement]) throws(DumpError) {
        for (place, one) in placements.enumerated() {
            for (otherPlace, other) in placements.enumerated()
            where place != otherPlace && one.item.starts(with: other.item) {
                throw DumpError(
                    .settings, "'\(one.name)' is in '\(other.name)', which is restored too",
                    hint: "Name one of the two.")
            }
        }
    }
}

extension FilePath {
    /// The path beside it with more at the end of its name, such as `/srv/documents_restored_20261129T174500Z`.
    fileprivate func called(_ suffix: String) -> FilePath {
        removingLastComponent().pushing(FilePath("\(lastComponent?.string ?? "")_\(suffix)"))
    }
}
