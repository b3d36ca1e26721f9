import Catalog
import DumpCore
import Linux
import Staging
import SystemPackage

extension RestoreArea {
    /// A new private directory for one restore, for as long as `body` runs. A kill leaves it on record, and the next restore removes it.
    ///
    /// - Parameters:
    ///   - base: where the operator wants it; nil is the usual place for large temporary files.
    ///   - keeping: whether it stays.
    func withRoom<Result>(
        of command: String, for run: RunID, in base: FilePath?, keeping: Bool = false,
        _ body: (FetchRoom) async throws -> Result
    ) async throws -> Result {
        let room = try FetchRoom(in: base ?? .temporaryFiles)
        do {
            try await area.record(UnfinishedDirectory(room.path, of: command), as: run)
        } catch {
            await Self.remove(room)
            throw error
        }
        return try await withCleanup {
            try await body(room)
        } cleanup: {
            if !keeping { await Self.remove(room) }
            // A record that stays names a directory that is gone: the next command forgets it.
            try? await area.forgetUnfinished(run)
        }
    }

    /// What cannot be removed stays on record as a directory that a command left.
    private static func remove(_ room: FetchRoom) async {
        await onOwnThread { try? room.remove() }
    }

    /// Removes the rooms of commands that were killed.
    func removeLeftRooms() async throws -> [FilePath] {
        var removed: [FilePath] = []
        for left in try await area.unfinishedDirectories() {
            let path = FilePath(left.path)
            // Only a name that is ours alone is ever removed.
            guard path.lastComponent?.string.hasPrefix(FetchRoom.prefix) == true else { continue }
            try await onOwnThread { try FileTree(path).remove() }
            removed.append(path)
        }
        return removed
    }
}
