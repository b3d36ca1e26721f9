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

    /// Replaces a new file by a link to the one in the current set, if they are the same. Returns the digest with what now identifies the
    /// file. Nil means that the new file was kept, whatever the reason: keeping it is never wrong.
    func reuse(
        _ file: Sealing.File, number: Int, _ digest: FileDigest, in root: FilePath, until stop: StopSign
    ) throws(StagingError) -> FileDigest? {
        guard file.formerSHA256 == digest.sha256, isPrivate(file.status) else { return nil }
        let new = root.pushing(file.path)
        let old = area.current.pushing(file.formerPath)
        let link = area.incoming.appending("\(root.lastComponent?.string ?? "").link\(number)")
        do {
            let status = try FileSystem.status(of: old)
            guard status.kind == .file, isPrivate(status), status.gid == file.status.gid,
                status.device == file.status.device, status.bytes == digest.bytes
            else { return nil }
            // Linked already, by its provider.
            if status.inode == digest.inode {
                return FileDigest(
                    sha256: digest.sha256, bytes: status.bytes, inode: status.inode, modified: status.modified)
            }
            // The old file may have rotted, or been edited, since it was listed. The new one is known by its digest.
            let kept = try FileScan(old).digest(until: stop)
            guard kept.sha256 == digest.sha256, kept.describes(status) else { return nil }
            try FileSystem.link(old, as: link)
            guard kept.describes(try FileSystem.status(of: link)) else {
                try FileSystem.removeFile(link)
                return nil
            }
            try FileSystem.rename(link, to: new)
            return kept
        } catch let error as StagingError where error.code == .cancelled {
            throw error
        } catch {
            // Too many links, a file system without them, an unreadable old file: the new one is there and good.
            try? FileSystem.removeFile(link)
            return nil
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
