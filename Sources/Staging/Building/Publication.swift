import DumpCore
import Linux
import SystemPackage

/// Makes a sealed set `current`, and what was current `previous`.
///
/// One exchange of two names, so that `current/` is the old set or the new one at any instant. The old set is in `incoming/` under this
/// run's name until it is `previous`. The older `previous` ends there too, to be removed. A crash may leave it to `Leftovers`.
///
/// On a file system that cannot exchange names there is an instant without `current/`. A journal record says so before it begins, and
/// `completeFallback` ends it, here or at the next start.
///
/// Once the set is current, nothing fails its publication: what then cannot be done is reported beside it.
struct Publication {
    private let area: StagingArea
    private let run: RunID

    init(of run: RunID, in area: StagingArea) {
        self.area = area
        self.run = run
    }

    /// Throws only while `current/` is what it was.
    func perform() throws(StagingError) -> PublishedSet.Shortfall {
        StopPoint.passing("publish.before")
        guard try area.exists(area.current) else { return try publishFirst() }
        do {
            try attempting(to: "publish", incoming) { try FileSystem.exchange(incoming, area.current) }
        } catch let error where error.isUnsupported {
            return try publishInTwoSteps()
        }
        StopPoint.passing("publish.exchanged")
        return settle(keeping: incoming)
    }

    /// What is left to do once the set is current.
    private func settle(keeping former: FilePath?) -> PublishedSet.Shortfall {
        var shortfall = PublishedSet.Shortfall()
        do { try flushNames() } catch { shortfall.notOnDisk = error }
        guard let former else { return shortfall }
        do { try keepAsPrevious(former) } catch { shortfall.notKept = error }
        return shortfall
    }

    /// Makes what was swapped out `previous`, and removes what was.
    func keepAsPrevious(_ former: FilePath) throws(StagingError) {
        var rubbish: FilePath?
        if try !area.exists(area.previous) {
            try move(former, to: area.previous)
        } else {
            do {
                try attempting(to: "replace", area.previous) { try FileSystem.exchange(former, area.previous) }
                rubbish = former
            } catch let error where error.isUnsupported {
                try move(area.previous, to: older)
                rubbish = older
                try move(former, to: area.previous)
            }
        }
        StopPoint.passing("publish.previous")
        try flushNames()
        // The set is published. What cannot be removed now is a leftover of the next run, which says so.
        if let rubbish { try? FileTree(rubbish).remove() }
    }

    private func publishFirst() throws(StagingError) -> PublishedSet.Shortfall {
        try move(incoming, to: area.current)
        StopPoint.passing("publish.exchanged")
        return settle(keeping: nil)
    }

    private func publishInTwoSteps() throws(StagingError) -> PublishedSet.Shortfall {
        try area.journal.write(record)
        do {
            try move(area.current, to: former)
            StopPoint.passing("publish.fallback.moved")
            try makeCurrent()
        } catch {
            // Once more, from whatever state this failure left: better now than at the next start. The error at hand says more.
            guard (try? completeFallback()) == true else { throw error }
            return PublishedSet.Shortfall()
        }
        var shortfall = settle(keeping: former)
        // Without it the next start finds what is left as it would find a crash.
        do { try area.journal.remove(record) } catch { shortfall.notOnDisk = shortfall.notOnDisk ?? error }
        return shortfall
    }

    /// Ends a publication in two steps from whatever state it was left in. Afterwards `current/` is a complete set, the new one if that is
    /// there. Returns whether it is.
    func completeFallback() throws(StagingError) -> Bool {
        try makeCurrent()
        try flushNames()
        // One that cannot be kept is rubbish, see `Leftovers`: no run may fail for it.
        if try area.exists(former) { try? keepAsPrevious(former) }
        try area.journal.remove(record)
        return SetHead.runID(of: area.current) == run
    }

    /// Gives `current/` back what it lacks: the new set if that is there, else the old one.
    private func makeCurrent() throws(StagingError) {
        guard try !area.exists(area.current) else { return }
        if SetHead.runID(of: incoming) == run {
            try move(incoming, to: area.current)
        } else if try area.exists(former) {
            try move(former, to: area.current)
        }
    }

    private var record: Journal.Record { .init(publicationOf: run) }
    private var incoming: FilePath { area.incoming.appending(run.description) }
    private var former: FilePath { area.incoming.appending("\(run).former") }
    private var older: FilePath { area.incoming.appending("\(run).older") }

    /// Renames to a name that is free, as the lock and what was looked up before ensure.
    private func move(_ path: FilePath, to new: FilePath) throws(StagingError) {
        try attempting(to: "make \(new) of", path) { try FileSystem.rename(path, to: new) }
    }

    private func flushNames() throws(StagingError) {
        for directory in [area.root, area.incoming] {
            try attempting(to: "write to disk", directory) { try FileSystem.flush(directory) }
        }
    }
}

extension StagingError {
    /// Whether a rename with flags failed because the file system knows none (rename(2): EINVAL) or the kernel does not (ENOSYS).
    fileprivate var isUnsupported: Bool {
        guard let errno = underlying as? Errno else { return false }
        return [.invalidArgument, .noFunction, .notSupported].contains(errno)
    }
}
