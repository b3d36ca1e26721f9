import DumpCore
import Jobs
import Monitoring
import SystemPackage

extension JobMetrics {
    /// The metrics of jobs in the directory of job files, by their names.
    static func current(of names: [String], state: FilePath) async -> [JobMetrics] {
        var all: [JobMetrics] = []
        for name in names {
            do {
                all.append(await current(of: try Job(named: name), state: state, tool: toolRecord))
            } catch {
                all.append(JobMetrics(unreadable: Finding(error, aboutJob: name), job: name, tool: toolRecord))
            }
        }
        return all
    }
}
