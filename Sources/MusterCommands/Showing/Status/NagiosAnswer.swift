import DumpCore
import Monitoring

/// What a monitoring plugin prints: one line with performance data, then details, and its exit status. By the guidelines of the Monitoring
/// Plugins project, which Nagios, Icinga, Naemon and Checkmk follow.
struct NagiosAnswer {
    let status: Int32
    let text: String

    init(_ health: JobHealth) {
        self.init(health.verdict, health.summary, health.reasons.map(\.message), health.performance(prefix: ""))
    }

    init(_ overview: JobOverview) {
        let bad = overview.jobs.filter { $0.verdict != .ok }
        let names = bad.map { "\($0.job) \($0.verdict.word)" }.joined(separator: ", ")
        self.init(
            overview.verdict, bad.isEmpty ? "\(overview.jobs.count) jobs are well" : names,
            overview.jobs.flatMap { entry in entry.reasons.map { "\(entry.job): \($0.message)" } },
            overview.jobs.flatMap { $0.health?.performance(prefix: "\($0.job) ") ?? [] })
    }

    /// The answer when the state could not be found out.
    init(unknown error: any Error) {
        let words = (error as? CommandFailure)?.error ?? error.forOperator
        (status, text) = (3, "MUSTER UNKNOWN - \(words.message.withoutBars)")
    }

    private init(_ verdict: Verdict, _ summary: String, _ details: [String], _ performance: [String]) {
        let word =
            switch verdict {
            case .ok: "OK"
            case .warning: "WARNING"
            case .failed: "CRITICAL"
            }
        status = Int32(Verdict.allCases.firstIndex(of: verdict)!)
        let line = "MUSTER \(word) - \(summary.withoutBars)"
        let data = performance.isEmpty ? "" : " | " + performance.joined(separator: " ")
        text = ([line + data] + details.map(\.withoutBars)).asLines
    }
}

extension JobHealth {
    fileprivate var summary: String {
        guard let reason = reasons.first(where: { Verdict($0.severity) == verdict }), verdict != .ok else {
            return "\(job): last success \(lastSuccess.map { age(of: $0.endedAt) } ?? "never")"
        }
        return "\(job): \(reason.message)"
    }

    /// `'label'=value[unit];warning;critical;least`, of each dump and repository.
    fileprivate func performance(prefix: String) -> [String] {
        var data: [String] = []
        if let lastSuccess {
            data.append(datum("\(prefix)age", at.seconds(since: lastSuccess.endedAt), "s", above: ageLimit))
        }
        data += dumps.compactMap { dump in
            dump.lastSuccess.map { datum("\(prefix)\(dump.name) size", Double($0.bytes), "B") }
        }
        return data
            + repositories.compactMap { repository in
                repository.lastConfirmed.map {
                    datum("\(prefix)\(repository.name) age", at.seconds(since: $0.at), "s", above: repository.ageLimit)
                }
            }
    }

    private func datum(_ label: String, _ value: Double, _ unit: String, above limit: AgeLimit? = nil) -> String {
        let critical = limit.map { "\(Int64(nearest: $0.seconds))" } ?? ""
        return "'\(label)'=\(max(0, Int64(nearest: value)))\(unit);;\(critical);0"
    }
}

extension String {
    /// A bar would begin the performance data.
    fileprivate var withoutBars: String { onOneLine.replacing("|", with: "/") }
}
