import DumpCore
import Synchronization
import SystemPackage
import Trees

/// A tree in a dump.
struct CopiedTree: Sendable {
    /// In the order of `TreeEntry.precedes`.
    var entries: [TreeEntry] = []
    var omissions: [Finding] = []
    var vanished: [FilePath] = []
    /// What the files took on disk when they were listed: each once, without its holes.
    var diskBytes: Int64 = 0
    /// Files whose copy may be of no state that they ever had.
    var torn: [(path: FilePath, flaw: FileCopy.Flaw)] = []
    /// Files of the last dump that have another name here, and their bytes.
    var linkedFiles = 0
    var linkedBytes: Int64 = 0
    private var gone: Set<Int> = []

    /// - Parameter result: nil if the file has vanished.
    mutating func take(_ result: FileCopy.Result?, of place: Int, at path: FilePath) {
        guard let result else {
            vanished.append(path)
            gone.insert(place)
            return
        }
        entries[place] = result.entry
        if result.isLinked {
            linkedFiles += 1
            linkedBytes = linkedBytes.plus(result.entry.bytes)
        }
        if let flaw = result.flaw { torn.append((path, flaw)) }
    }

    mutating func removeVanished() {
        guard !gone.isEmpty else { return }
        entries = entries.indices.filter { !gone.contains($0) }.map { entries[$0] }
    }
}

/// A tree whose files several threads are copying.
final class GrowingTree: Sendable {
    private let tree: Mutex<CopiedTree?>

    init(_ tree: CopiedTree) { self.tree = Mutex(tree) }

    func path(at place: Int) -> FilePath { tree.withLock { $0!.entries[place].path } }

    func take(_ result: FileCopy.Result?, of place: Int, at path: FilePath) {
        tree.withLock { $0!.take(result, of: place, at: path) }
    }

    /// To be called last.
    func whole() -> CopiedTree { tree.withLock { $0.take()! } }
}
