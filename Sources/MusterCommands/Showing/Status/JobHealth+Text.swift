import DumpCore
import Monitoring

extension JobHealth {
    /// The verdict, and why it is not better: what is wrong on a line, what to do on the next.
    var verdictLines: [String] {
        guard let first = reasons.first(where: { Verdict($0.severity) == verdict }), verdict != .ok else {
            return ["\(Verdict.ok.word) \(job)\(lastSuccess.map { ": last success \(age(of: $0.endedAt))" } ?? "")"]
        }
        let others = reasons.filter { $0 != first }
        return lines(of: first, after: "\(verdict.word) \(job): ")
            + others.flatMap { lines(of: $0, after: "\(Verdict($0.severity).word.lowercased()): ") }
    }

    private func lines(of reason: Finding, after prefix: String) -> [String] {
        [prefix + reason.message] + (reason.hint.map { ["  \($0)"] } ?? [])
    }

    /// Such as `3 hours ago`.
    func age(of time: Timestamp) -> String {
        let seconds = at.seconds(since: time)
        return seconds < -1 ? "in the future" : Duration.seconds(seconds).inWords + " ago"
    }
}

extension JobOverview {
    /// One row a job, the worst first, and below what is wrong.
    func text(width: Int?) -> String {
        guard !jobs.isEmpty else { return "There is no job on this host yet. Make one: muster init." }
        let columns = [
            Table.Column(title: "verdict"), .init(title: "job"), .init(title: "last success"),
            .init(title: "size", rank: 1, isNumber: true), .init(title: "last archives", rank: 2),
            .init(title: "last drill", rank: 3),
        ]
        let sorted = jobs.sorted { ($1.verdict, $0.job) < ($0.verdict, $1.job) }
        let table = Table(columns: columns, rows: sorted.map(\.row)).lines(width: width)
        let reasons = sorted.flatMap { entry in
            entry.reasons.filter { $0.severity != .note }.map { "\(entry.job): \($0.message)" }
        }
        return (table + (reasons.isEmpty ? [] : [""] + reasons)).asLines
    }
}

extension JobOverview.Entry {
    fileprivate var row: [String] {
        guard let health else { return [verdict.word, job, "-", "-", "-", "-"] }
        let bytes = health.dumps.compactMap(\.lastSuccess?.bytes).reduce(0, +)
        // The oldest of them: it is the one to look at.
        let archives = health.repositories.map(\.lastConfirmed?.at)
        let archive =
            archives.contains { $0 == nil } ? "never" : archives.compactMap(\.self).min().map { health.age(of: $0) }
        return [
            verdict.word, job, health.lastSuccess.map { health.age(of: $0.endedAt) } ?? "never", formatBytes(bytes),
            archive ?? "-", health.drill?.lastProvenAt.map { health.age(of: $0) } ?? "-",
        ]
    }
}
