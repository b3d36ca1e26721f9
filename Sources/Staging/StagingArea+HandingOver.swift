import DumpCore
import Linux
import SystemPackage

extension StagingArea {
    var sealedFile: FilePath { root.appending("sealed") }

    /// The current set for one who is about to read all of it: what is not as it was sealed by inode, size and times is hashed.
    ///
    /// Throws as `currentSet` does, and `.damagedSet` too for a file whose bytes are not those that were sealed.
    ///
    /// - Parameter lock: to note what was hashed, so that it is not hashed again the next time.
    public func verifiedSet(noting lock: StagingLock? = nil) async throws(StagingError) -> SealedSet? {
        guard try await hasCurrentSet() else { return nil }
        let area = self
        let (inspection, sealed) = try await onOwnThread { () throws(StagingError) in
            let inspection = try SetInspection(of: area.current)
            return (inspection, area.sealedFiles(of: inspection.manifestSHA256))
        }
        let set = try inspection.requireIntact()
        let suspects = inspection.files(notAsIn: sealed)
        guard !suspects.isEmpty else { return set }
        let directory = try attempting(to: "open", current) { try OpenDirectory(area.current) }
        let problems = try await FileWorkers.forEach(suspects) { (file, stop) throws(StagingError) in
            try file.compare(in: directory, until: stop) { _ in }
        }.compactMap(\.self)
        guard problems.isEmpty else { throw .damaged(current, problems.sorted()) }
        // As they were before they were read: what changes since is found the next time.
        if lock != nil { await onOwnThread { area.note(inspection.sealedFiles) } }
        return set
    }

    /// Throws unless the current set still is this one: by inode, size and times of its files, and by hashing those that differ.
    public func requireUnchanged(_ set: SealedSet) async throws(StagingError) {
        let area = self
        let isAsSealed = await onOwnThread {
            guard let sealed = area.sealedFiles(of: set.manifestSHA256) else { return false }
            // What cannot be walked is said below.
            return (try? SealedFiles(of: area.current, manifestSHA256: set.manifestSHA256)) == sealed
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
        guard let now = try? SealedFiles(of: current, manifestSHA256: sealed.manifestSHA256),
            now.holdsSameFiles(as: sealed)
        else { return }
        note(now)
    }

    /// Without a note the set is hashed the next time, so that a failure is nobody's.
    private func note(_ sealed: SealedFiles) { try? SmallFile(sealedFile).replace(sealed.encoded) }

    /// Nil if there is no note of the set with this manifest, or none that can be read.
    private func sealedFiles(of manifestSHA256: String) -> SealedFiles? {
        guard let bytes = try? SmallFile(sealedFile).read() else { return nil }
        return SealedFiles(bytes, manifestSHA256: manifestSHA256)
    }
}

extension SetInspection {
    /// The listed files that do not look as they did when they were sealed: all, if that is not known.
    func files(notAsIn sealed: SealedFiles?) -> [ListedFile] {
        let covered = entries.filter(SealedFiles.cover)
        guard let sealed, sealed.states.count == covered.count else { return files }
        let different = Set(
            zip(covered, sealed.states).lazy.filter { SealedFiles.State($0.status) != $1 }.map(\.0.path))
        return different.isEmpty ? [] : files.filter { different.contains($0.path) }
    }

    var sealedFiles: SealedFiles {
        SealedFiles(
            manifestSHA256: manifestSHA256,
            states: entries.lazy.filter(SealedFiles.cover).map { SealedFiles.State($0.status) })
    }
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
