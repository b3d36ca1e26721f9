import DumpCore
import Linux
import SystemPackage

/// The directory at which a dump's snapshot is seen: `<runtime>/<job>/<dump>`, the same in every run. A dump by hand, which may be made
/// while a run or its Borg reads there, has `<runtime>/<job>.<run>/<dump>`.
struct MountDirectory: Sendable {
    let point: FilePath

    init(_ point: FilePath) { self.point = point }

    init(in runtime: FilePath, job: String, dump: String, _ run: RunContext) {
        let group = run.surroundings.isByHand ? "\(job).\(run.runID)" : job
        point = runtime.appending([escapedPathComponent(group), escapedPathComponent(dump)])
    }

    /// Throws when something is in it or mounted there.
    func requireVacant() throws(DumpError) {
        do throws(Errno) {
            guard try MountTable.current().mount(at: point) == nil else { throw .resourceBusy }
            guard try FileSystem.names(in: point).isEmpty else { throw .directoryNotEmpty }
        } catch .noSuchFileOrDirectory {
        } catch {
            throw unusable(error)
        }
    }

    /// Throws when something is in it or mounted there. The caller has recorded that it will be there.
    func create() throws(DumpError) {
        let job = point.removingLastComponent()
        do throws(Errno) {
            for directory in [job.removingLastComponent(), job, point] {
                do { try FileSystem.createDirectory(directory) } catch .fileExists {}
            }
        } catch {
            throw unusable(error)
        }
        try requireVacant()
    }

    private func unusable(_ error: Errno) -> DumpError {
        DumpError(
            .system, "cannot use \(point) to mount a snapshot: \(error)",
            hint: "See what is there: a process may be reading a snapshot. Unmount or remove it.", underlying: error)
    }

    /// Removes it, and the job's own if it is the last there. It is empty, or there is nothing. Throws when something
    /// is mounted there.
    func remove() throws(DumpError) {
        do throws(Errno) {
            guard try MountTable.current().mount(at: point) == nil else { throw .resourceBusy }
            try FileSystem.removeEmptyDirectory(point)
        } catch {
            throw DumpError(
                .system, "cannot remove \(point), where a snapshot was mounted: \(error)",
                hint: "See what is there, and unmount or remove it.", underlying: error)
        }
        // Other dumps of the job may have theirs in it.
        try? FileSystem.removeEmptyDirectory(point.removingLastComponent())
    }
}
