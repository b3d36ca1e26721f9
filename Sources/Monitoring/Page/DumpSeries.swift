import DumpCore
import Jobs
import Reporting

/// One dump of one published set.
struct DumpSample {
    var run: RunReport
    var dump: RunReport.DumpRecord
    var bytes: Int64
}

/// A dump over time, oldest first.
struct DumpSeries {
    var name: String
    var provider: String
    var isInJob: Bool
    var samples: [DumpSample]
}

extension JobPage {
    /// Those of the job in its order, then those that it had, by name.
    var allSeries: [DumpSeries] {
        var samples: [DumpKey: [DumpSample]] = [:]
        for run in history.published.sorted(by: { $0.startedAt < $1.startedAt }) {
            for dump in run.dumps {
                guard let bytes = dump.bytes else { continue }
                samples[DumpKey(name: dump.name, provider: dump.provider), default: []].append(
                    DumpSample(run: run, dump: dump, bytes: bytes))
            }
        }
        let own = job.dumps.map { DumpKey(name: $0.name, provider: $0.kind.name) }
        let former = samples.keys.filter { !own.contains($0) }.sorted {
            ($0.name, $0.provider) < ($1.name, $1.provider)
        }
        return own.map { DumpSeries(name: $0.name, provider: $0.provider, isInJob: true, samples: samples[$0] ?? []) }
            + former.map {
                DumpSeries(name: $0.name, provider: $0.provider, isInJob: false, samples: samples[$0] ?? [])
            }
    }
}

private struct DumpKey: Hashable {
    var name: String
    var provider: String
}
