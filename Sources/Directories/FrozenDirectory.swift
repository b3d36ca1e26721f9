import Checksums
import DumpCore
import Linux
import Settings
import Snapshots
import SystemPackage
import Trees

/// A directory that is about to be copied.
struct FrozenDirectory: FrozenSource {
    let prepared: PreparedDirectory
    /// Nil: the directory itself is read, while it may be written.
    let snapshot: HeldSnapshot?

    /// What of it is being read.
    private let atHand = FilesAtHand()

    init(prepared: PreparedDirectory, snapshot: HeldSnapshot?) {
        self.prepared = prepared
        self.snapshot = snapshot
    }

    func dump(into directory: FilePath, in run: RunContext) async throws(DumpError) -> DumpSummary {
        let from = Timestamp.now
        let copied =
            prepared.isReferenced
            ? try await list(in: run, spoolingIn: directory) : try await copy(into: directory, in: run)
        // One that overflowed meanwhile has shown what never was.
        try await snapshot?.confirm()
        guard copied.entries.totals.count > 1 else {
            throw DumpError(
                .incompleteDump, "\(prepared.settings.path) was emptied while it was copied",
                hint: "Find out what removed the files. The published set still has them.")
        }
        return try await summary(of: copied, in: directory, since: from, run)
    }

    func release() async { await snapshot?.release() }

    var isReadInPlace: Bool { prepared.isReferenced }

    func explained(_ error: DumpError, in directory: FilePath) async -> DumpError {
        let error = await cause(of: error)
        return error.code == .noSpace
            ? error.sayingRoom(needed: prepared.units.lazy.map(\.estimatedBytes).total, in: directory)
            : atHand.explained(error, below: prepared.settings.path)
    }

    /// A snapshot that was lost while it was read shows first as a disk that seems to fail.
    private func cause(of error: DumpError) async -> DumpError {
        do throws(DumpError) {
            try await snapshot?.confirm()
            return error
        } catch let loss {
            return loss.code == .snapshotLost ? loss : error
        }
    }

    private func copy(into directory: FilePath, in run: RunContext) async throws(DumpError) -> CopiedTree {
        let unit = prepared.units[0]
        return try await run.perform(unit) { () throws(DumpError) in
            let count = ByteCounter()
            let tree = directory.pushing(TreeLayout.tree)
            do {
                try FileSystem.createDirectory(tree)
            } catch {
                throw DumpError(.system, "cannot create \(tree): \(error)", underlying: error)
            }
            let target: OpenDirectory
            do {
                target = try OpenDirectory(tree)
            } catch {
                throw DumpError(.system, "cannot open \(tree): \(error)", underlying: error)
            }
            let (source, selection) = try openSource()
            let copy = TreeCopy(
                from: source, to: target, prepared.settings, selection: selection,
                longestPath: prepared.longestPath, spoolingIn: directory,
                previous: run.shortcuts.previous,
                asOf: snapshot?.moment.from.nanoseconds, atHand: atHand
            ) { count.add($0) }
            return try await count.telling(unit, in: run) { () async throws(DumpError) in try await copy.perform() }
        }
    }

    /// What Borg is to read in place.
    private func list(in run: RunContext, spoolingIn directory: FilePath) async throws(DumpError) -> CopiedTree {
        try await run.perform(prepared.units[0]) { () throws(DumpError) in
            let (source, selection) = try openSource()
            let listing = TreeListing(of: source, selection, longestPath: prepared.longestPath, atHand: atHand)
            return try await listing.perform(spoolingIn: directory)
        }
    }

    /// Open for as long as it is read: a snapshot that is in use could not be given back.
    private func openSource() throws(DumpError) -> (OpenDirectory, Selection) {
        let source: OpenDirectory
        if let snapshot { source = try snapshot.openTree() } else { source = try .source(prepared.settings.path) }
        let root = try attempting(to: "look at", FilePath(), of: source) { try source.status(of: FilePath()) }
        guard snapshot != nil || FileNumber(root) == prepared.root else {
            throw DumpError(
                .sourceUnavailable,
                "\(prepared.settings.path) is no longer the directory that it was when the run began",
                hint: "Its disk was unmounted, or something was put in its place. Find out what, and run it again.")
        }
        return (
            source,
            Selection(
                prepared.settings.selection, device: root.device, ownPlaces: prepared.ownPlaces,
                missingVolumes: snapshot?.missingVolumes)
        )
    }

    private func summary(
        of copied: CopiedTree, in directory: FilePath, since from: Timestamp, _ run: RunContext
    ) async throws(DumpError) -> DumpSummary {
        let totals = copied.entries.totals
        run.log.debug(
            "tree copied",
            metadata: [
                "dump": "\(run.dump)", "entries": "\(totals.count)", "linked_files": "\(copied.linkedFiles)",
            ])
        let path = directory.pushing(TreeLayout.inventory)
        let inventory = try await run.perform(prepared.units[1]) { () async throws(DumpError) in
            try await onOwnThread { () throws(DumpError) in try writeInventory(of: copied.entries, to: path) }
        }
        return DumpSummary(
            identity: ["path": prepared.settings.path.string, "file_system": prepared.fileSystem],
            moment: snapshot?.moment ?? Moment(.live, from: from, to: .now), findings: findings(of: copied),
            omissions: copied.omissions, digests: [TreeLayout.inventory: inventory],
            tree: TreeContents(
                path: TreeLayout.tree.string,
                reference: prepared.isReferenced ? snapshot?.tree.string : nil, inventory: TreeLayout.inventory.string,
                inventorySHA256: inventory.sha256, entries: totals.count, bytes: totals.bytes,
                diskBytes: copied.diskBytes),
            linked: LinkedFiles(files: copied.linkedFiles, bytes: copied.linkedBytes))
    }

    private func writeInventory(of entries: TreeEntries, to path: FilePath) throws(DumpError) -> FileDigest {
        do {
            let file = try FileDescriptor.open(
                path, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec, .noFollow],
                permissions: .ownerReadWrite)
            return try file.closeAfter {
                let hash = try SHA256()
                var sorted = entries.sorted()
                try Inventory.write(lines: { try sorted.nextLines() }) { piece in
                    _ = try file.writeAll(piece)
                    try piece.withUnsafeBytes { try hash.update($0) }
                }
                let status = try FileSystem.status(of: file)
                return FileDigest(
                    sha256: try hash.finish(), bytes: status.bytes, inode: status.inode, modified: status.modified)
            }
        } catch Errno.noSpace, Errno.diskQuotaExceeded {
            throw DumpError(
                .noSpace, "no space to write \(path)",
                hint: "Free space on this file system, or move the staging area to a larger one.")
        } catch {
            throw DumpError(.system, "cannot write \(path): \(error)", underlying: error)
        }
    }
}
