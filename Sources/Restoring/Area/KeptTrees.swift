import Documents
import DumpCore
import Linux
import Staging
import SystemPackage

/// A directory or file that a restore has replaced and kept under another name. Unlike a database it cannot be marked, so it is on record
/// here. The record is written before the restore. It is true once what had the name is where the record says.
struct KeptTree: Sendable, Codable {
    var path: String
    var kept: String
    var since: Timestamp
    /// By which it is known again: something else under that name is left alone.
    var inode: UInt64

    fileprivate var isThere: Bool { (try? FileSystem.status(of: FilePath(kept)).inode) == inode }

    fileprivate var item: KeptItem {
        KeptItem(item: path, name: kept, since: since, bytes: FileTree(FilePath(kept)).bytes())
    }
}

/// `kept/<run>.<number>.json`, one for each.
extension RestoreArea {
    private var records: FilePath { root.appending("kept") }

    /// Notes which trees a restore is about to replace, and forgets those that are gone.
    func noteKept(by prepared: [PreparedDump], _ run: RunID) async throws {
        let plans = prepared.filter { $0.dump.tree != nil }.flatMap(\.restore.plan)
        let records = records
        try await onOwnThread {
            try Self.forgetGone(records)
            for (number, plan) in plans.enumerated() {
                try Self.note(plan, at: records.appending("\(run).\(number).json"))
            }
        }
    }

    private static func note(_ plan: RestorePlan, at path: FilePath) throws {
        guard let kept = plan.kept, let former = try? FileSystem.status(of: FilePath(plan.name)) else { return }
        do throws(Errno) {
            try FileSystem.createDirectory(path.removingLastComponent())
        } catch  where error == .fileExists {}
        let tree = KeptTree(path: plan.name, kept: kept, since: .now, inode: former.inode)
        try SmallFile(path).replace(SnakeCaseJSON.encode(tree))
    }

    /// What is there of them.
    func keptTrees() async throws -> [KeptItem] {
        let records = records
        return try await onOwnThread { try Self.trees(in: records).filter { $0.tree.isThere }.map { $0.tree.item } }
    }

    /// Removes one for good.
    func removeKept(_ item: KeptItem) async throws {
        let records = records
        try await onOwnThread {
            for record in try Self.trees(in: records) {
                guard record.tree.kept == item.name, record.tree.isThere else { continue }
                try FileTree(FilePath(record.tree.kept)).remove()
                try record.file.remove()
            }
        }
    }

    /// Another restore may be about to give one its name.
    private static func forgetGone(_ records: FilePath) throws {
        let now = Timestamp.now
        for record in try trees(in: records) {
            guard !record.tree.isThere, now.seconds(since: record.tree.since) > 7 * 86400 else { continue }
            try record.file.remove()
        }
    }

    private static func trees(in records: FilePath) throws -> [(file: SmallFile, tree: KeptTree)] {
        try names(in: records).compactMap { name in
            let file = SmallFile(records.appending(name))
            // One that cannot be read names nothing.
            guard let bytes = try? file.read(longest: 1 << 20),
                let tree = try? SnakeCaseJSON.decode(KeptTree.self, from: bytes)
            else { return nil }
            return (file, tree)
        }
    }

    private static func names(in records: FilePath) throws -> [FilePath.Component] {
        do throws(Errno) {
            return try FileSystem.names(in: records).filter { $0.string.hasSuffix(".json") }
        } catch  where error == .noSuchFileOrDirectory {
            return []
        }
    }
}
