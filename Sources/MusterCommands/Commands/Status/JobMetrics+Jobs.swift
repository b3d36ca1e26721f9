import DumpCore
import Monitoring
import MusterConfig
import Reporting
import SystemPackage

extension JobMetrics {
    /// Of jobs in the directory of job files, by their names.
    static func current(of names: [String], state: FilePath) async -> [JobMetrics] {
        var all: [JobMetrics] = []
        for name in names {
            do {
                let job = try JobFile.load(try JobFile.find(job: name), kinds: BuiltInProviders.kinds)
                all.append(await current(of: job, state: state, tool: toolRecord))
            } catch {
                let reason = Finding(error.forOperator, about: name)
                all.append(JobMetrics(unreadable: reason, job: name, tool: toolRecord))
            }
        }
        return all
    }
}
