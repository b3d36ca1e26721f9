import DumpCore
import Linux
import Snapshots
import SystemPackage

/// A directory that was looked at and could be dumped.
struct PreparedDirectory: PreparedSource {
    let settings: DirectorySettings
    let planned: PlannedSnapshot?
    /// Whether Borg will read the tree, and nothing is copied.
    let isReferenced: Bool
    /// As `Selection` has them.
    let ownPlaces: OwnPlaces
    let longestPath: Int
    /// What file system the directory is on, such as `ext4`.
    let fileSystem: String
    let size: TreeSize
    let findings: [Finding]
    let omissions: [Finding]
    /// The number of the directory itself.
    let root: FileNumber

    var facts: ErrorContext {
        var facts: ErrorContext = [
            "path": settings.path.string, "file_system": fileSystem, "files": "\(size.files)",
            "entries": "\(size.entries)",
        ]
        for fact in planned?.facts ?? [:] { facts[fact.name] = fact.value }
        return facts
    }

    /// The inventory is made in no time, but is beside the tree.
    var units: [WorkUnit] {
        [
            WorkUnit(name: settings.path.string, path: TreeLayout.tree, estimatedBytes: isReferenced ? 0 : size.bytes),
            WorkUnit(name: "inventory", path: TreeLayout.inventory, estimatedBytes: Int64(size.entries) * 256),
        ]
    }

    func freeze(in run: RunContext) async throws(DumpError) -> any FrozenSource {
        FrozenDirectory(prepared: self, snapshot: try await planned?.take(in: run))
    }
}
