import DumpCore
import Linux
import SystemPackage
import Trees

/// Parts of a tree that together are all that is in it: subtrees, and files beside them. For drills that prove a part each time.
///
/// A directory whose entries are its parts is not itself one of them, and of no use to prove: it would be proven by each.
struct TreeSlices {
    private struct Directory {
        var weight: Int64 = 0
        /// What is in it directly.
        var entries = 0
        var directories: [FilePath] = []
        var isText = true
    }

    private var directories: [FilePath: Directory] = [FilePath(): Directory()]

    /// What an entry without bytes costs.
    private static let entryWeight: Int64 = 4096
    /// Borg gets a path for each part.
    private static let mostParts = 2000

    /// - Parameter inventory: its bytes.
    static func paths(_ inventory: [UInt8], into count: Int) throws -> [String] {
        let file = try FileDescriptor.memoryFile(holding: inventory)
        // Nothing depends on the close of what was only read.
        defer { try? file.close() }
        var slices = TreeSlices()
        try file.visitInventory { slices.add($0) }
        let (whole, divided) = slices.divided(into: count)
        var paths = whole.map(\.string)
        guard !divided.isEmpty else { return paths }
        try file.seek(offset: 0, from: .start)
        try file.visitInventory { entry in
            guard entry.kind != .directory, divided.contains(entry.path.removingLastComponent()) else { return }
            paths.append(entry.path.string)
        }
        return paths.sorted()
    }

    private mutating func add(_ entry: TreeEntry) {
        if entry.kind == .directory { directories[entry.path] = directories[entry.path] ?? Directory() }
        guard !entry.path.isEmpty else { return }
        var above = entry.path.removingLastComponent()
        directories[above, default: Directory()].entries += 1
        if entry.kind == .directory { directories[above]?.directories.append(entry.path) }
        // A part is named by text.
        if FilePath(entry.path.string) != entry.path { directories[above]?.isText = false }
        let weight = Self.entryWeight.plus(entry.firstName == nil ? entry.bytes : 0)
        while true {
            directories[above, default: Directory()].weight = (directories[above]?.weight ?? 0).plus(weight)
            guard !above.isEmpty else { return }
            above.removeLastComponent()
        }
    }

    /// The heaviest first, until each is small beside a share or cannot be divided.
    private func divided(into count: Int) -> (whole: [FilePath], divided: Set<FilePath>) {
        let share = (directories[FilePath()]?.weight ?? 0) / Int64(max(count, 1)) / 2
        var (waiting, whole, divided): ([FilePath], [FilePath], Set<FilePath>) = ([FilePath()], [], [])
        var parts = 1
        while let next = waiting.indices.max(by: { weight(waiting[$0]) < weight(waiting[$1]) }) {
            let path = waiting.remove(at: next)
            guard let directory = directories[path], directory.weight > share, directory.entries > 0, directory.isText,
                parts + directory.entries <= Self.mostParts
            else {
                whole.append(path)
                continue
            }
            parts += directory.entries - 1
            divided.insert(path)
            waiting += directory.directories
        }
        return (whole, divided)
    }

    private func weight(_ path: FilePath) -> Int64 { directories[path]?.weight ?? 0 }
}

extension FileDescriptor {
    /// From where it stands.
    fileprivate func visitInventory(_ body: (TreeEntry) throws -> Void) throws {
        var reader = InventoryReader(self)
        while let entry = try reader.next() { try body(entry) }
    }
}
