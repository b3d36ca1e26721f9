import DumpCore
import Jobs
import Monitoring
import SystemPackage

/// How all jobs of a host are doing.
struct JobOverview: Encodable {
    struct Entry: Encodable {
        var job: String
        var verdict: Verdict
        /// Nil if the job cannot be read.
        var health: JobHealth?
        var reasons: [Finding]
    }

    /// The worst of them; `.ok` if there is no job.
    var verdict: Verdict
    /// By their names.
    var jobs: [Entry]

    /// - Parameters:
    ///   - names: of jobs in the directory of job files. One whose file is wrong counts as failed.
    ///   - state: the restore area that has the records of drills.
    init(of names: [String], state: FilePath) async {
        jobs = []
        for name in names { jobs.append(await Entry(name, state: state)) }
        verdict = jobs.map(\.verdict).max() ?? .ok
    }
}

extension JobOverview.Entry {
    init(_ name: String, state: FilePath) async {
        job = name
        do {
            let health = JobHealth(try await JobRecords(of: Job(named: name), state: state))
            (verdict, reasons) = (health.verdict, health.reasons)
            self.health = health
        } catch {
            reasons = [Finding(error, aboutJob: name)]
            verdict = .failed
        }
    }
}
