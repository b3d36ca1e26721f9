import DumpCore
import Jobs
import Linux
import SystemPackage

/// A job's file for the node exporter, `muster-<job>.prom` in the directory whose text files the exporter reads.
///
/// One file a job: in a common one, jobs would erase each other's series.
public struct MetricsFile: Sendable {
    let directory: FilePath
    let job: String

    public var path: FilePath { directory.appending(name) }

    private var name: String { "muster-\(job).prom" }
    /// The exporter reads what ends in `.prom`. Two processes may write at the same time.
    private var draft: FilePath { FilePath(".\(name).\(ProcessIdentity.current.pid).tmp") }

    /// Nil for a job without metrics.
    public init?(of job: Job) {
        guard let metrics = job.metrics else { return nil }
        (directory, self.job) = (metrics.directory, job.name)
    }

    /// Writes what is on record about the job now. Returns what keeps it from that: the caller goes on all the same.
    ///
    /// - Parameter state: the restore area that has the records of drills.
    public static func update(of job: Job, state: FilePath, tool: Manifest.Tool) async -> [Finding] {
        guard let file = MetricsFile(of: job) else { return [] }
        let text = await JobMetrics.current(of: job, state: state, tool: tool).text
        do {
            try await onOwnThread { try file.write(text) }
            return []
        } catch {
            return [file.finding(error as? Errno)]
        }
    }

    /// Replaces the file as a whole: the exporter reads the one before or this one. The exporter may run as any user.
    func write(_ text: String) throws {
        try PublicFile.replace(path, holding: Array(text.utf8), draft: draft)
    }

    private func finding(_ error: Errno?) -> Finding {
        Finding(
            .warning, "metrics_not_written", object: path.string,
            "the metrics of job '\(job)' cannot be written to \(directory): \(error?.description ?? "an unknown error")",
            hint: hint(error))
    }

    private func hint(_ error: Errno?) -> String {
        switch error {
        case .noSuchFileOrDirectory, .notDirectory:
            "Install the node exporter, or name the directory that it reads below metrics: in the job file."
        case .readOnlyFileSystem:
            "Under systemd, muster install-units \(job) makes the directory writable for the unit. Otherwise look at its mount."
        case .permissionDenied, .notPermitted:
            "Let this user write there: setfacl -m u:\(userName):rwx \(directory). Or have root write them: muster status \(job) --metrics."
        default: "Make room or mend the directory. The dumps and archives are not affected."
        }
    }

    private var userName: String { UserAccount.current?.name ?? "\(UserAccount.currentID)" }
}
