import Checksums
import DumpCore
import Glibc
import Linux
import SystemPackage

/// The current set as a source of files that a new one need not store again.
///
/// A file that is the same keeps its inode and its time of modification, so that Borg's files cache skips it unread
/// (`--files-cache mtime,size,inode`).
struct FormerFiles: Sendable {
    let area: StagingArea

    /// What became of a new file.
    enum Outcome {
        /// It is a link to the old file now, which the digest identifies.
        case reused(FileDigest)
        /// It stays, whatever the reason: keeping it is never wrong.
        case kept
        /// It stays, because the old file is not what was sealed.
        case keptForDamage
    }

    /// Replaces a new file by a link to the one in the current set, if they are the same.
    func reuse(
        _ file: Sealing.File, number: Int, _ digest: FileDigest, in root: FilePath, until stop: StopSign
    ) throws(StagingError) -> Outcome {
        guard file.formerSHA256 == digest.sha256, isPrivate(file.status) else { return .kept }
        let new = root.pushing(file.path)
        let old = area.current.pushing(file.formerPath)
        let link = area.incoming.appending("\(root.lastComponent?.string ?? "").link\(number)")
        // What is gone or cannot be looked at is not what was sealed either.
        guard let status = try? FileSystem.status(of: old), status.kind == .file, status.bytes == digest.bytes else {
            return .keptForDamage
        }
        guard isPrivate(status), status.gid == file.status.gid, status.device == file.status.device else {
            return .kept
        }
        // Linked already, by its provider.
        if status.inode == digest.inode {
            return .reused(
                FileDigest(sha256: digest.sha256, bytes: status.bytes, inode: status.inode, modified: status.modified))
        }
        // The old file may have rotted, or been edited, since it was listed. The new one is known by its digest.
        let kept: FileDigest
        do {
            kept = try FileScan(old).digest(until: stop)
        } catch {
            guard error.code != .cancelled else { throw error }
            return .keptForDamage
        }
        guard kept.sha256 == digest.sha256, kept.describes(status) else { return .keptForDamage }
        return put(old, kept, as: link, inPlaceOf: new) ? .reused(kept) : .kept
    }

    /// False where that cannot be: there are too many links, or it is a file system without them. The new file is there then.
    private func put(_ old: FilePath, _ digest: FileDigest, as link: FilePath, inPlaceOf new: FilePath) -> Bool {
        do {
            try FileSystem.link(old, as: link)
            guard digest.describes(try FileSystem.status(of: link)) else {
                try FileSystem.removeFile(link)
                return false
            }
            try FileSystem.rename(link, to: new)
            return true
        } catch {
            // The new one is good all the same.
            try? FileSystem.removeFile(link)
            return false
        }
    }

    /// Gives a new file another time than the one in its place in the current set has, if they have the same size and time. A program
    /// that recognizes files by these must not take it for that one. Returns what identifies the file then.
    func distinguish(_ file: Sealing.File, _ digest: FileDigest, in root: FilePath) throws(StagingError) -> FileDigest {
        let new = root.pushing(file.path)
        // Without an old file there is nothing to be taken for.
        guard let old = try? FileSystem.status(of: area.current.pushing(file.path)), old.inode != digest.inode,
            old.bytes == digest.bytes, old.modified == digest.modified
        else { return digest }
        var digest = digest
        try attempting(to: "set the time of", new) {
            // Some file systems keep whole seconds, or every second one.
            for step: Int64 in [1_000_000, 1_000_000_000, 2_000_000_000] where digest.modified == old.modified {
                try FileSystem.setModified(new, to: old.modified + step)
                digest.modified = try FileSystem.status(of: new).modified
            }
        }
        return digest
    }

    /// A link gives the new name the old file's owner and mode, so only those that we would give it ourselves are taken.
    private func isPrivate(_ status: FileStatus) -> Bool { status.mode == 0o600 && status.uid == geteuid() }
}
