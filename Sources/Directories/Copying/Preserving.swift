import DumpCore
import Linux
import SystemPackage
import Trees

/// Throws if a copy has not the entry's time: some file systems count whole seconds, or have no room for times after 2038.
func requireTimeKept(_ entry: TreeEntry, _ copy: FileStatus, in target: OpenDirectory) throws(DumpError) {
    guard copy.modified != entry.modified else { return }
    // Two seconds are the longest that any file system counts in.
    let (distance, isBeyond) = copy.modified.subtractingReportingOverflow(entry.modified)
    let isRounded = !isBeyond && distance.magnitude <= 2_000_000_000
    throw DumpError(
        .cannotPreserve,
        "the file system of the staging area cannot keep the time of \(target.path.pushing(entry.path))",
        hint: isRounded
            ? "Put the staging area on a file system that counts nanoseconds, such as ext4 with inodes of 256 bytes, XFS or Btrfs."
            : "Is that date right? Set another with touch(1), or move the staging area to Btrfs or ZFS, which can hold it.",
        context: ["time_ns": "\(entry.modified)", "kept_ns": "\(copy.modified)"])
}

/// What cannot be kept of an entry fails the dump: a restore would lack it.
func preserving(_ entry: TreeEntry, of target: OpenDirectory, _ work: () throws -> Void) throws(DumpError) {
    do {
        try attempting(to: "keep owner, mode or attributes of", entry.path, of: target, work)
    } catch {
        if error.code == .noSpace, !entry.attributes.isEmpty {
            var error = error
            error.hint = """
                Free space on the file system of the staging area. If there is enough, it has no room for so many attributes of one file: \
                ext4 has some 4 KiB, XFS and Btrfs more.
                """
            throw error
        }
        guard error.code == .system else { throw error }
        throw DumpError(
            .cannotPreserve, error.message,
            hint: hint(for: entry, error.underlying as? Errno),
            context: [
                "owner": "\(entry.uid):\(entry.gid)",
                "attributes": entry.attributes.map(\.title).joined(separator: " "),
            ],
            underlying: error.underlying)
    }
}

/// The owner is the first thing that is set: where this user may give a file away, it is not what failed.
private func hint(for entry: TreeEntry, _ error: Errno?) -> String {
    if error == .notSupported {
        return
            "Put the staging area on a file system with extended attributes and access control lists, such as ext4, XFS or Btrfs."
    }
    let mayGive = CopyRights.ofProcess().mayGive(toUser: entry.uid, group: entry.gid)
    return mayGive && entry.attributes.contains(where: \.isForRootAlone)
        ? CopyRights.privilegedHint : "Run Muster as root: only root may give files to other users."
}
