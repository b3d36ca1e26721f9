import DumpCore
import Synchronization
import SystemPackage
import Trees

/// A tree in a dump.
struct CopiedTree: Sendable {
    let entries: TreeEntries
    var omissions: [Finding] = []
    var vanished = FirstOfMany<FilePath>()
    /// What the files took on disk when they were listed: each once, without its holes.
    var diskBytes: Int64 = 0
    /// Files whose copy may be of no state that they ever had.
    var torn = FirstOfMany<Torn>()
    /// Files of the last dump that have another name here, and their bytes.
    var linkedFiles = 0
    var linkedBytes: Int64 = 0
    /// Files of the last dump that would have been linked and are not what was sealed.
    var damaged = DamagedFiles()

    struct Torn: Sendable {
        var path: FilePath
        var flaw: FileCopy.Flaw
    }

    /// - Parameter spoolDirectory: as `TreeEntries` has it.
    init(spoolingIn spoolDirectory: FilePath) { entries = TreeEntries(in: spoolDirectory) }

    mutating func addLinked(_ entry: TreeEntry) {
        linkedFiles += 1
        linkedBytes = linkedBytes.plus(entry.bytes)
    }
}

/// A tree whose files several threads are copying.
final class GrowingTree: Sendable {
    let entries: TreeEntries
    private let tree: Mutex<CopiedTree>

    init(_ tree: CopiedTree) {
        entries = tree.entries
        self.tree = Mutex(tree)
    }

    /// - Parameter result: nil if the file has vanished.
    func take(_ result: FileCopy.Result?, at path: FilePath) throws(DumpError) {
        note(result, at: path)
        if let result { try entries.add(result.entry) }
    }

    /// All of it but the entry.
    func note(_ result: FileCopy.Result?, at path: FilePath) {
        tree.withLock { tree in
            guard let result else { return tree.vanished.add(path) }
            if result.isLinked { tree.addLinked(result.entry) }
            if let flaw = result.flaw { tree.torn.add(CopiedTree.Torn(path: path, flaw: flaw)) }
        }
    }

    func count(diskBytes: Int64) { tree.withLock { $0.diskBytes = $0.diskBytes.plus(diskBytes) } }

    /// What it is by now.
    var whole: CopiedTree { tree.withLock { $0 } }
}
