import DumpCore
import Linux
import SystemPackage

/// The set that a run is building, in a directory of its own.
///
/// Ends in `seal`, or in `discard`. After a crash `StagingLock.removeLeftovers()` removes it.
public struct IncomingSet: Sendable {
    /// The set's directory while it is built.
    public let root: FilePath
    let lock: StagingLock
    let flushPoint: FlushPoint
    /// The digests of what providers have read, by dump.
    let digests: DigestSpools
    /// The inode of the directory, which has another name once it is published.
    fileprivate let inode: UInt64

    /// Creates the private, empty directory of a dump and returns its path.
    ///
    /// In the end it may hold only regular files and directories, except for the tree that a dump's summary names. The next set can reuse a
    /// file of mode 0600 that belongs to us.
    public func directory(forDump name: String) async throws(StagingError) -> FilePath {
        guard !StagingArea.reservedDumpNames.contains(name) else {
            throw StagingError(
                .incompleteSet, "a dump cannot be called '\(name)'",
                hint: "Give it another name: every set has its own entry of that name.")
        }
        let path = path(ofDump: name)
        return try await onOwnThread { () throws(StagingError) in
            try lock.requireHeld()
            try attempting(to: "create", path) { try FileSystem.createDirectory(path) }
            return path
        }
    }

    /// Where that directory is.
    public func path(ofDump name: String) -> FilePath { root.appending(SetLayout.directory(ofDump: name)) }

    /// Takes the digests of a dump's completed files, which sealing then does not read again.
    public func completion(ofDump name: String) -> @Sendable (FilePath, FileDigest) -> Void {
        let spool = digests.spool(ofDump: name)
        let start = headStart(ofDump: name)
        return { path, digest in
            // One that is lost is made once more.
            try? spool.add(path, digest)
            start(path, digest.bytes)
        }
    }

    /// Takes a dump's files that nothing writes to any longer.
    public func writing(ofDump name: String) -> @Sendable (FilePath) -> Void {
        let directory = path(ofDump: name)
        let start = headStart(ofDump: name)
        return { path in
            // Whatever it is, sealing says so.
            guard let bytes = (try? FileSystem.status(of: directory.pushing(path)))?.bytes else { return }
            start(path, bytes)
        }
    }

    /// Begins to write large files to disk while others are still being dumped. A file with as many bytes as the one in its place in the
    /// current set has to wait. It is likely to be the same. Then sealing replaces it by a link, and nothing of it needs to be written.
    private func headStart(ofDump name: String) -> @Sendable (FilePath, Int64) -> Void {
        let directory = FilePath(root: nil, [SetLayout.directory(ofDump: name)])
        return { [root, current = lock.area.current] path, bytes in
            let file = directory.pushing(path)
            guard bytes >= Self.leastBytesWrittenEarly,
                (try? FileSystem.status(of: current.pushing(file)))?.bytes != bytes
            else { return }
            // The flush of the set is what counts, and reports.
            try? FileSystem.startWriteback(of: root.pushing(file))
        }
    }

    /// To open a small file again for that costs more than it gains.
    private static let leastBytesWrittenEarly: Int64 = 1 << 20

    /// What the files of a dump take now. One that vanishes meanwhile is an error: no other process should be there.
    public func bytes(ofDump name: String) async throws(StagingError) -> Int64 {
        let path = root.appending(SetLayout.directory(ofDump: name))
        return try await onOwnThread { () throws(StagingError) in
            var bytes: Int64 = 0
            try attempting(to: "look at", path) {
                try FileTree(path).visitAll { entry throws(Errno) in
                    bytes = bytes.plus(entry.status.kind == .file ? entry.status.bytes : 0)
                }
            }
            return bytes
        }
    }

    /// Removes all of it, unless it was published: what is at its path then is the set that it replaced. A second time does nothing.
    public func discard() async throws(StagingError) {
        try await onOwnThread { () throws(StagingError) in
            try lock.requireHeld()
            guard try lock.area.status(of: root)?.inode == inode else { return }
            try attempting(to: "remove", root) { try FileTree(root).remove() }
        }
    }

    /// Completes the set. Hashes what its dumps wrote, and replaces each file that is the same as in the current set by a link to that one.
    /// Writes checksums and manifest, and flushes all of it to disk.
    ///
    /// Throws when there is something that does not belong in a set, when a file changes meanwhile, and when the disk is full. Also throws
    /// when the task is cancelled (`.cancelled`). After a throw the directory is left to be discarded.
    public func seal(_ dumps: [FinishedDump], as facts: SetFacts) async throws(StagingError) -> UnpublishedSet {
        try await Sealing(of: self, dumps: dumps, facts: facts).perform()
    }
}

/// A sealed set that is not `current` yet.
public struct UnpublishedSet: Sendable {
    public let set: SealedSet
    public let reuse: Reuse
    /// As they were when they were sealed.
    let files: SealedFiles
    let lock: StagingLock

    /// Makes the set `current` at one instant, and what was current `previous`; returns it in its final place.
    ///
    /// After a throw `current/` is what it was. After a crash it is the old complete set or the new one, or becomes one of them in
    /// the next `StagingLock.removeLeftovers()`. Does not heed cancellation.
    public func publish() async throws(StagingError) -> PublishedSet {
        try await onOwnThread { () throws(StagingError) in
            try lock.requireHeld()
            let shortfall = try Publication(of: lock.run, in: lock.area).perform()
            lock.area.note(published: files)
            return PublishedSet(
                set: SealedSet(
                    root: lock.area.current, manifest: set.manifest, manifestSHA256: set.manifestSHA256,
                    files: set.files), shortfall: shortfall)
        }
    }
}

/// A set that is `current`, and what could not be done once it was.
public struct PublishedSet: Sendable {
    public let set: SealedSet
    public let shortfall: Shortfall

    /// Nothing of it makes the set less good than it is.
    public struct Shortfall: Sendable {
        /// Why the names may be what they were before when the power goes now; the sets themselves are on disk.
        public internal(set) var notOnDisk: StagingError?
        /// Why the set that it replaced is not `previous`.
        public internal(set) var notKept: StagingError?
    }
}

extension StagingLock {
    /// Begins the set of this run: its directory, empty.
    ///
    /// Throws `.leftovers` when what a dead run left has not been removed.
    public func beginSet() async throws(StagingError) -> IncomingSet {
        try await onOwnThread { () throws(StagingError) in
            try self.requireHeld()
            try self.requireNoLeftovers()
            let root = self.area.incoming.appending(self.run.description)
            return try attempting(to: "create", root) {
                let flushPoint = try FlushPoint(self.area.incoming)
                try FileSystem.createDirectory(root)
                return IncomingSet(
                    root: root, lock: self, flushPoint: flushPoint, digests: DigestSpools(in: self.area.incoming),
                    inode: try FileSystem.status(of: root).inode)
            }
        }
    }
}

/// Opened before the first byte of a set, so that its flush reports whatever could not be written back since.
final class FlushPoint: Sendable {
    private let directory: FilePath
    private let file: FileDescriptor

    init(_ directory: FilePath) throws {
        self.directory = directory
        file = try FileDescriptor.open(directory, .readOnly, options: [.directory, .closeOnExec])
    }

    // Nothing was written through it, so there is nothing that closing could report.
    deinit { try? file.close() }

    /// Flushes the file system.
    ///
    /// - Parameter bytes: what was written, for the message about a full file system.
    func flush(_ bytes: Int64) throws(StagingError) {
        try attempting(to: "write to disk what is in", directory, needed: bytes) {
            try FileSystem.flushFileSystem(through: file)
        }
    }
}
