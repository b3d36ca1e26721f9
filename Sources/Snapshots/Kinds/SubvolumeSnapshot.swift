import DumpCore
import Linux
import SystemPackage

/// A read-only snapshot of a Btrfs subvolume, which lies in the subvolume that it was taken of.
///
/// Btrfs has no place for its owner. It is ours when it is where the record says, read-only, a snapshot of the
/// subvolume that the record names, and no older than the state of it that we had seen before: its path has the run's
/// id.
struct SubvolumeSnapshot: VolumeSnapshot {
    static let recordKind = "btrfs_snapshot"

    /// The subvolume, where we see it.
    var source: FilePath
    var sourceID: String
    /// The transaction that had last changed the subvolume. Unlike a time of day, it never goes back.
    var generation: UInt64
    /// The name of the snapshot in the subvolume. Hidden, as it lies among the operator's own.
    var entry: String

    private var path: FilePath { source.appending(entry) }

    var name: String { path.string }
    var batch: String { "btrfs \(sourceID)" }

    var facts: [String: String] {
        ["source": source.string, "source_uuid": sourceID, "generation": "\(generation)", "snapshot": entry]
    }

    static func take(
        _ snapshots: [Self], for owner: ProcessIdentity, by programs: SystemPrograms
    ) async throws(DumpError) {
        for snapshot in snapshots { try await snapshot.take(by: programs) }
    }

    private func take(by programs: SystemPrograms) async throws(DumpError) {
        // Into a directory that is there btrfs would put it, and call it like the source.
        guard (try? FileSystem.status(of: path)) == nil else {
            throw DumpError(.system, "\(path) is there already", hint: "Look what it is, and remove it.")
        }
        try await programs.run("btrfs", ["subvolume", "snapshot", "-r", source.string, path.string])
    }

    /// Bytes are written out before the act, and names are taken in it: a file that was made meanwhile may be empty, unless the file system
    /// is mounted with `flushoncommit` (btrfs(5)).
    var isOfOneInstant: Bool { false }

    var mounting: Mounting {
        .byMount(arguments: ["--bind", "-o", Mounting.options, path.string], mark: entry)
    }

    func delete(takenBy owner: ProcessIdentity, by programs: SystemPrograms) async throws(DumpError) -> Deletion {
        do throws(Errno) {
            guard try FileSystem.status(of: path).kind == .directory else { return .foreign }
        } catch .noSuchFileOrDirectory {
            try await requireSource(by: programs)
            return .done
        } catch {
            throw DumpError(.system, "cannot look at \(path): \(error)", underlying: error)
        }
        guard try await isOurs(by: programs) else { return .foreign }
        // Committed: else the snapshot could be back after a power failure, when nobody has a record of it.
        try await programs.run("btrfs", ["subvolume", "delete", "--commit-after", path.string])
        return .done
    }

    private func isOurs(by programs: SystemPrograms) async throws(DumpError) -> Bool {
        guard try MountTable.isSubvolume(path) else { return false }
        let found = try await Subvolume.at(path, by: programs)
        return found.isReadOnly && found.parentID == sourceID && found.generationAtCreation >= generation
    }

    /// That there is nothing at the path says nothing while the file system is not mounted, or another subvolume has its name.
    private func requireSource(by programs: SystemPrograms) async throws(DumpError) {
        guard try MountTable.isSubvolume(source), try await Subvolume.at(source, by: programs).id == sourceID else {
            throw DumpError(
                .sourceUnavailable, "the subvolume \(source), which had the snapshot \(entry), is not there",
                hint: "Mount its file system, or give it its name back, and run 'muster undo'.",
                context: ["uuid": sourceID])
        }
    }
}

extension SubvolumeSnapshot {
    init(facts: UndoFacts) throws(DumpError) {
        source = FilePath(try facts("source"))
        sourceID = try facts("source_uuid")
        generation = UInt64(try facts("generation")) ?? .max
        entry = try facts("snapshot")
    }
}
