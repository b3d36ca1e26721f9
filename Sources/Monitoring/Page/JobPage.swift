import DumpCore
import Jobs
import Reporting

/// All that the page says of one job.
struct JobPage {
    let material: ReportMaterial
    let health: JobHealth
    let history: JobHistory
    /// What the ids of its parts begin with.
    let id: String
    /// The level of its own heading.
    let level: Int
    let limits: PageLimits
    let time: TimeAxis

    var records: JobRecords { material.records }
    var job: Job { records.job }

    init(_ material: ReportMaterial, id: String, level: Int, limits: PageLimits, at now: Timestamp) {
        self.material = material
        health = JobHealth(material.records, at: now)
        history = JobHistory(material.records.status.runs)
        (self.id, self.level, self.limits) = (id, level, limits)
        time = TimeAxis(history.runs.map(\.startedAt), now: now)
    }

    /// Without its heading.
    var body: Markup {
        [verdict, tiles, runs, failures, dumps, databases, consistency, omissions, repositories, archives, drills]
            .joined()
    }

    /// A section with its heading; nothing without contents.
    func section(_ name: String, _ title: Markup, _ contents: Markup) -> Markup {
        guard !contents.isEmpty else { return "" }
        return """
            <section id="\(id)-\(name)" aria-labelledby="\(id)-\(name)-h"><h\(level + 1) id="\(id)-\(name)-h">\(title)</h\(level + 1)>
            \(contents)</section>

            """
    }
}

/// How much a job may have of the page: what is more is drawn and listed several to one.
struct PageLimits {
    /// Runs, archives and drills in tables.
    var rows: Int
    /// Runs that failed.
    var failures: Int
    /// Marks of one outcome.
    var marks: Int
    /// Dumps that have plots of their own.
    var plottedDumps: Int
    /// Points of all dumps in plots of one kind, and half as many of all repositories.
    var points: Int

    /// - Parameter jobs: that share the page.
    init(jobs: Int) {
        let share = max(1, jobs)
        rows = max(20, 500 / share)
        failures = max(5, 30 / share)
        marks = max(40, 200 / share)
        plottedDumps = max(6, 30 / share)
        points = max(80, 320 / share)
    }
}

/// Neighbours in one group, so that there are at most `limit` groups.
func grouped<Element>(_ elements: [Element], atMost limit: Int) -> [[Element]] {
    let size = max(1, (elements.count + limit - 1) / max(1, limit))
    return stride(from: 0, to: elements.count, by: size).map { Array(elements[$0..<min($0 + size, elements.count)]) }
}
