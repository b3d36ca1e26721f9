import Checksums
import DumpCore
import Linux
import SystemPackage

extension SetDirectory {
    /// The manifest, which nothing vouches for but what it lists. Throws `.notASet`, `.damagedSet` and `.newerFormat`.
    public func manifest() async throws(StagingError) -> Manifest {
        let root = root
        return try await onOwnThread { () throws(StagingError) in try SetHead(of: root).manifest }
    }

    /// Copies the set, or parts of it, and shows that the copy is what was sealed. The set is not changed.
    ///
    /// The directory is opened once: what is exchanged with it meanwhile, such as `current/`, is not copied from. What was copied stays after
    /// a throw, whatever it is.
    ///
    /// - Parameters:
    ///   - parts: each of them there; nil is all of the set.
    ///   - target: empty, and closed to all other users.
    ///   - progress: told how many bytes have been copied.
    public func copy(
        _ parts: [SetPart]?, into target: OpenDirectory,
        progress: @escaping @Sendable (_ done: Int64) -> Void = { _ in }
    ) async throws(StagingError) -> VerificationReport {
        let (root, digests) = (root, DigestSpool(in: .temporaryFiles))
        let head = try await onOwnThreadUntilCancelled { stop throws(StagingError) in
            let source = try attempting(to: "open", root) { try OpenDirectory(following: root) }
            let head = try SetHead(of: source.unmistakablePath)
            var done: Int64 = 0
            var copy = SetCopy(
                of: source, into: target, head.manifest, parts, noting: digests, until: stop
            ) { bytes in
                done += bytes
                progress(done)
            }
            try copy.perform()
            return head
        }
        let copied = SetDirectory(target.unmistakablePath)
        await copied.restoreAttributes(of: head.manifest, parts)
        return try await copied.verify(
            parts, manifestSHA256: head.manifestSHA256, referencedTrees: .either, knowing: digests,
            comparingTables: false)
    }

    /// All bytes of a file of a dump, compared with what was sealed. Throws `.damagedSet` for a file that is another, and for one that
    /// has more bytes than `limit`; `.unexpectedFile` for one that no list names.
    ///
    /// - Parameter path: relative to the set.
    public func contents(
        of path: FilePath, in dump: Manifest.DumpRecord, limit: Int64
    ) async throws(StagingError) -> [UInt8] {
        let root = root
        return try await onOwnThread { () throws(StagingError) in
            let sealed = try Self.digest(of: path, in: dump, at: root)
            let bytes = try attempting(to: "read", root.pushing(path)) {
                let file = try OpenDirectory(following: root).openFile(path)
                return try file.closeAfter { try file.readAll(atMost: Int(clamping: limit.plus(1))) }
            }
            guard bytes.count <= limit else {
                throw StagingError(.damagedSet, "\(root.pushing(path)) has more than \(formatBytes(limit))")
            }
            let found = try attempting(to: "hash", root.pushing(path)) { try sha256(of: bytes) }
            guard found == sealed else {
                throw StagingError(
                    .damagedSet, "\(root.pushing(path)) changed, its SHA-256 is \(found) and not \(sealed)",
                    hint: "muster verify lists all that is damaged. Take another set.")
            }
            return bytes
        }
    }

    /// As the dump's list has it, or the manifest itself: that of an inventory.
    private static func digest(
        of path: FilePath, in dump: Manifest.DumpRecord, at root: FilePath
    ) throws(StagingError) -> String {
        if let tree = dump.tree, path == dump.inventoryPath { return tree.inventorySHA256 }
        var lines: ListedLines
        do throws(SetProblem) {
            lines = try ListedLines(of: dump, in: root)
        } catch {
            throw StagingError(.damagedSet, "\(root) is damaged: \(error)", hint: "Take another set.")
        }
        while let line = lines.first {
            if line.path == path { return line.sha256 }
            try attempting(to: "read", root.pushing(FilePath(dump.checksums.path))) { try lines.advance() }
        }
        throw StagingError(.unexpectedFile, "dump '\(dump.name)' in \(root) holds no \(path)")
    }
}
