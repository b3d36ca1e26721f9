import DumpCore
import Linux
import SystemPackage

extension StagingArea {
    var sealedFile: FilePath { root.appending("sealed") }

    /// The current set for a caller that is about to read all of it. Files that are not as they were sealed, by inode, size and times, are
    /// hashed.
    ///
    /// Throws as `currentSet` does, and `.damagedSet` too for a file whose bytes are not those that were sealed.
    ///
    /// - Parameter lock: to note what was hashed, so that it is not hashed again the next time.
    public func verifiedSet(noting lock: StagingLock? = nil) async throws(StagingError) -> SealedSet? {
        guard try await hasCurrentSet() else { return nil }
        let area = self
        let (inspection, sealed) = try await onOwnThread { () throws(StagingError) in
            let head = try SetHead(of: area.current)
            let sealed = SealedFiles(at: area.sealedFile, manifestSHA256: head.manifestSHA256)
            return (try SetInspection(head, comparing: sealed), sealed)
        }
        let set = try inspection.requireIntact()
        guard !inspection.isAsSealed else { return set }
        try await rehash(inspection, butFor: sealed, noting: lock != nil)
        return set
    }

    /// Hashes the files that do not look as they did when they were sealed: all, if their number is another.
    ///
    /// - Parameter isNoted: whether to note how they look, so that they are not hashed again the next time.
    private func rehash(
        _ inspection: SetInspection, butFor sealed: SealedFiles?, noting isNoted: Bool
    ) async throws(StagingError) {
        let area = self
        let pass = try await onOwnThread { () throws(StagingError) in
            let head = inspection.head
            // As they were before they were read: what changes since is found the next time.
            let writer = isNoted ? area.newNote(of: head.manifestSHA256) : nil
            return try ContentPass(
                SetWalk(head), butFor: sealed?.count == inspection.files - 1 ? sealed : nil, noting: writer)
        }
        let result = try await pass.perform()
        await onOwnThread {
            if let writer = result.writer, result.problems.isEmpty { area.keep(writer) } else { area.forgetNewNote() }
        }
        guard result.problems.isEmpty else { throw .damaged(current, result.problems) }
    }

    /// Throws unless the current set still is this one: by inode, size and times of its files, and by hashing those that differ.
    public func requireUnchanged(_ set: SealedSet) async throws(StagingError) {
        let area = self
        let isAsSealed = await onOwnThread {
            guard let sealed = SealedFiles(at: area.sealedFile, manifestSHA256: set.manifestSHA256) else {
                return false
            }
            // What cannot be walked is said below.
            return (try? sealed.describe(area.current) { $0 == $1 }) == true
        }
        guard !isAsSealed else { return }
        guard try await verifiedSet()?.manifestSHA256 == set.manifestSHA256 else {
            throw StagingError(
                .damagedSet, "another set took the place of \(set.manifest.runID) in \(current)",
                hint: "Find out who writes to the staging area.")
        }
    }

    /// Notes how the files of the set that was just published look, if they are those that were sealed.
    ///
    /// - Parameter sealed: as they looked then. Times of change alone may differ since: a set that had some of the files too was removed.
    func note(published sealed: SealedFiles) {
        guard var writer = newNote(of: sealed.manifestSHA256) else { return }
        let isTheSame = try? sealed.describe(current) { (known, now) throws(Errno) in
            do { try writer.add(now) } catch { throw error as? Errno ?? .ioError }
            return known.holdsSameFile(as: now)
        }
        isTheSame == true ? keep(writer) : forgetNewNote()
    }

    private var newNote: FilePath { FilePath(sealedFile.string + SmallFile.unfinished) }

    /// A note that is to take the place of the one that is there. Without one the set is hashed the next time, so that no failure is an error.
    private func newNote(of manifestSHA256: String) -> SealedFiles.Writer? {
        forgetNewNote()
        return (try? FileSystem.createFile(newNote)).map { SealedFiles.Writer(to: $0, manifestSHA256: manifestSHA256) }
    }

    private func keep(_ writer: SealedFiles.Writer) {
        do {
            var writer = writer
            _ = try writer.finish()
            try SmallFile(sealedFile).giveWay(to: newNote)
        } catch {
            forgetNewNote()
        }
    }

    private func forgetNewNote() { try? FileSystem.removeFile(newNote) }
}

extension StagingError {
    /// - Parameter problems: at least one.
    static func damaged(_ root: FilePath, _ problems: [SetProblem]) -> StagingError {
        let more = problems.count > 1 ? " (and \(problems.count - 1) more)" : ""
        return StagingError(
            .damagedSet, "the set in \(root) is not what was sealed: \(problems[0])\(more)",
            hint: "muster verify lists all of it. The next muster run replaces the set.")
    }

    /// Whether it says that there is no set that could be handed over.
    public var isAboutTheSet: Bool { [.notASet, .damagedSet, .newerFormat].contains(code) }
}
