import Directories
import DumpCore
import Jobs
import MusterConfig
import Snapshots
import SystemPackage

extension Job {
    /// Throws if this job stages its dumps in what another job dumps: that one would dump them too, half made or twice.
    ///
    /// Only those other jobs count whose files are right and are in the directory of jobs.
    func requireOwnPlace() throws {
        for name in (try? JobFile.jobs()) ?? [] where name != self.name {
            guard let file = try? JobFile.find(job: name),
                let other = try? JobFile.load(file, kinds: BuiltInProviders.kinds),
                let dump = other.dumps.first(where: { $0.holds(staging) })
            else { continue }
            throw CommandFailure(
                status: .configuration,
                error: SetupError(
                    "the staging directory \(staging) is inside what job '\(name)' dumps as '\(dump.name)'",
                    hint:
                        "Move it elsewhere, or leave it out there: exclude: [\(dump.pattern(for: staging))] in \(file)."
                ))
        }
    }
}

extension Job.Dump {
    fileprivate func holds(_ path: FilePath) -> Bool {
        guard let tree = settings as? DirectorySettings, path.starts(with: tree.path) else { return false }
        return !tree.selection.leavesOut(directory: path.relative(to: tree.path))
    }

    fileprivate func pattern(for path: FilePath) -> String {
        "/" + path.relative(to: (settings as? DirectorySettings)?.path ?? "/").string + "/"
    }
}
