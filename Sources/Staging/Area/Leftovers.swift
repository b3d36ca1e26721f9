import DumpCore
import Linux
import SystemPackage

/// What a dead run had left, and what became of it.
public enum Leftover: Sendable, Hashable, CustomStringConvertible {
    /// Something in `incoming/`, such as a set that was never sealed.
    case removed(FilePath)
    /// The set before the current one, which the run had no time to keep as `previous`.
    case keptAsPrevious(FilePath)
    /// A publication in two steps; the run's set is current.
    case publicationCompleted(RunID)
    /// A publication in two steps; the set before it is current again.
    case publicationUndone(RunID)

    public var description: String {
        switch self {
        case .removed(let path): "removed \(path)"
        case .keptAsPrevious(let path): "kept \(path) as the previous set"
        case .publicationCompleted(let run): "completed the publication of run \(run)"
        case .publicationUndone(let run): "undid the publication of run \(run)"
        }
    }
}

extension StagingArea {
    /// The runs that began a set which is still in `incoming/`. While one of the locks is held by others than a run, they are dead.
    public func begunRuns() async throws(StagingError) -> [RunID] {
        let area = self
        return try await onOwnThread { () throws(StagingError) in
            try area.incomingNames().compactMap { RunID($0.string) }
        }
    }

    fileprivate func incomingNames() throws(StagingError) -> [FilePath.Component] {
        try attempting(to: "list", incoming) { try FileSystem.names(in: incoming) }
    }
}

extension StagingLock {
    /// Completes or undoes what a dead run had begun, removes the rest of it, and returns what was done, for the log.
    ///
    /// To be called once the lock is held, before anything else. After a throw it may be called again.
    public func removeLeftovers() async throws(StagingError) -> [Leftover] {
        try await onOwnThread { () throws(StagingError) in
            try self.requireHeld()
            try self.area.journal.removeUnfinished()
            return try self.completePublications() + self.clearIncoming()
        }
    }

    func requireNoLeftovers() throws(StagingError) {
        guard try area.journal.publications().isEmpty, try area.incomingNames().isEmpty else {
            throw StagingError(.leftovers, "staging area \(area.root) still holds what a dead run left")
        }
    }

    private func completePublications() throws(StagingError) -> [Leftover] {
        var done: [Leftover] = []
        for run in try area.journal.publications() {
            let isPublished = try Publication(of: run, in: area).completeFallback()
            done.append(isPublished ? .publicationCompleted(run) : .publicationUndone(run))
        }
        return done
    }

    private func clearIncoming() throws(StagingError) -> [Leftover] {
        var done: [Leftover] = []
        for name in try area.incomingNames() {
            let path = area.incoming.appending(name)
            if let run = RunID(name.string), wasCurrent(path, before: run), keepsAsPrevious(path, of: run) {
                done.append(.keptAsPrevious(path))
            } else {
                try attempting(to: "remove", path) { try FileTree(path).remove() }
                done.append(.removed(path))
            }
        }
        return done
    }

    /// Where that cannot be, as when `previous/` is a mount point, the newer set in `current/` is enough.
    private func keepsAsPrevious(_ path: FilePath, of run: RunID) -> Bool {
        do throws(StagingError) {
            try Publication(of: run, in: area).keepAsPrevious(path)
            return true
        } catch {
            return false
        }
    }

    /// Whether this is the set that `run` replaced as current and died before keeping it as previous. Under its name there is then
    /// another run's set, which is newer than the one that was kept before.
    private func wasCurrent(_ path: FilePath, before run: RunID) -> Bool {
        guard SetHead.runID(of: area.current) == run, let former = SetHead.runID(of: path), former != run
        else { return false }
        guard let kept = SetHead.runID(of: area.previous) else { return true }
        return kept.description < former.description
    }
}
