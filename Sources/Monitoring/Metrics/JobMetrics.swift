import DumpCore
import Jobs
import Reporting
import SystemPackage

/// All series of one job.
public struct JobMetrics: Sendable {
    struct Sample: Sendable {
        /// In the order of `Metric.labels`.
        var labels: [String]
        var value: Double
    }

    let job: String
    private(set) var samples: [Metric: [Sample]] = [:]
    private var series: Set<Series> = []

    private struct Series: Hashable {
        var metric: Metric
        var labels: [String]
    }

    /// - Parameters:
    ///   - health: of the same records.
    ///   - contents: of the published set; without it nothing is said of rows and databases.
    ///   - tool: which Muster it is that says all this.
    public init(_ records: JobRecords, _ health: JobHealth, contents: SetContents?, tool: Manifest.Tool) {
        self.init(health.verdict, health.reasons, job: health.job, tool: tool)
        let history = JobHistory(records.status.runs, until: health.at)
        addRuns(history, health)
        addJournal(records.status, health)
        for dump in records.job.dumps { add(dump, history, contents) }
        for repository in health.repositories { add(repository, history) }
        addDrills(records, health)
    }

    /// The metrics of a job about which nothing more can be said.
    ///
    /// - Parameter reason: why.
    public init(unreadable reason: Finding, job: String, tool: Manifest.Tool) {
        self.init(.failed, [reason], job: job, tool: tool)
    }

    private init(_ verdict: Verdict, _ reasons: [Finding], job: String, tool: Manifest.Tool) {
        self.job = job
        add(.buildInfo, 1, tool.version)
        add(.jobVerdict, stateOf: verdict.rawValue, among: Verdict.allCases.map(\.rawValue))
        addCounts(.jobReasons, reasons)
    }

    /// Reads what is on record about a job. If that cannot be read, the metrics say so.
    ///
    /// - Parameter state: the restore area that has the records of drills.
    public static func current(of job: Job, state: FilePath, tool: Manifest.Tool) async -> JobMetrics {
        do {
            let records = try await JobRecords(of: job, state: state)
            let contents = records.status.set == nil ? nil : try await SetContents.current(of: job)
            return JobMetrics(records, JobHealth(records), contents: contents, tool: tool)
        } catch {
            return JobMetrics(unreadable: Finding(error.forOperator, about: job.name), job: job.name, tool: tool)
        }
    }

    /// As Prometheus reads it.
    public var text: String { Self.text(of: [self]) }

    public static func text(of jobs: [JobMetrics]) -> String { PrometheusText(jobs).text }
}

extension JobMetrics {
    /// Nothing for a value that is not known. A series that is there already stays what it is: twice it would be refused with all others.
    mutating func add(_ metric: Metric, _ value: Double?, _ labels: String...) { add(metric, value, labels: labels) }

    mutating func add(_ metric: Metric, _ value: Int64?, _ labels: String...) {
        add(metric, value.map(Double.init), labels: labels)
    }

    mutating func add(_ metric: Metric, _ value: Int?, _ labels: String...) {
        add(metric, value.map(Double.init), labels: labels)
    }

    mutating func add(_ metric: Metric, _ value: Bool?, _ labels: String...) {
        add(metric, value.map { $0 ? 1 : 0 }, labels: labels)
    }

    mutating func add(_ metric: Metric, _ time: Timestamp?, _ labels: String...) {
        add(metric, time.map { Double($0.milliseconds) / 1000 }, labels: labels)
    }

    /// One series for each state, of which one is 1. None if the state is not known.
    mutating func add(_ metric: Metric, stateOf state: String?, among states: [String], _ labels: String...) {
        guard let state else { return }
        for other in states { add(metric, other == state ? 1 : 0, labels: labels + [other]) }
    }

    /// How many findings there are of each code and severity.
    mutating func addCounts(_ metric: Metric, _ findings: [Finding], _ labels: String...) {
        let groups = Dictionary(grouping: findings) { [$0.code, $0.severity.rawValue] }
        for (kind, group) in groups.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            add(metric, Double(group.count), labels: labels + kind)
        }
    }

    private mutating func add(_ metric: Metric, _ value: Double?, labels: [String]) {
        guard let value, value.isFinite, series.insert(Series(metric: metric, labels: labels)).inserted else { return }
        samples[metric, default: []].append(Sample(labels: labels, value: value))
    }
}
