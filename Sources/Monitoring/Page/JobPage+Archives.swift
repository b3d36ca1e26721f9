import Catalog
import DumpCore
import Jobs
import Reporting
import Restoring

/// Which archives are confirmed, which of them a drill has proven, and what drills found.
extension JobPage {
    var archives: Markup {
        let tables = job.repositories.map { archives(in: $0.name) }
        return section("archives", "Archives", tables.joined())
    }

    private func archives(in repository: String) -> Markup {
        let confirmed = records.ledgers[repository]?.confirmed.reversed() ?? []
        guard !confirmed.isEmpty else { return "<p>No archive in \(repository) is confirmed.</p>\n" }
        let stored = Dictionary(
            history.attempts(in: repository).compactMap { run, archive in archive.name.map { ($0, archive) } },
            uniquingKeysWith: { first, _ in first })
        let rows = confirmed.prefix(limits.rows / job.repositories.count).map { archive -> [Markup] in
            [
                .code(archive.archive), .time(archive.confirmedAt),
                stored[archive.archive]?.storedBytes.map { .bytes($0) } ?? "–",
                proof(of: archive, in: repository), .code(archive.runID.description),
            ]
        }
        let (new, old) = (Array(rows.prefix(20)), Array(rows.dropFirst(20)))
        let titles = ["archive", "confirmed", "new bytes#", "proven by a drill", "run"]
        let rest = confirmed.count - rows.count
        let older: Markup =
            old.isEmpty
            ? ""
            : """
            <details><summary>\(.count(old.count)) older archives in \(repository)</summary>\(PageTable("Older archives in \(repository)", titles, old).html)</details>

            """
        let more: Markup = rest > 0 ? "<p class=\"note\">\(.count(rest)) even older ones are not listed.</p>" : ""
        return
            "\(PageTable("Confirmed archives in \(repository), the newest first", titles, new, showsCaption: true).html)\(older)\(more)"
    }

    /// A drill of another archive of the same set says nothing about this one's repository.
    private func proof(of archive: RepositoryLedger.Confirmed, in repository: String) -> Markup {
        let own = records.drills.filter {
            $0.origin.archive == archive.archive && ($0.origin.repository ?? repository) == repository
        }
        if let last = own.last {
            return mark(of: last, last.outcome == .failed ? nil : own.last { $0.outcome == .proven })
        }
        let same = records.drills.last { $0.origin.runID == archive.runID && $0.outcome == .proven }
        return same.map { "the same set, from \($0.origin.text)" } ?? "–"
    }

    private func mark(of last: DrillRecord, _ proven: DrillRecord?) -> Markup {
        let shown = proven ?? last
        return "\(.drill(shown.outcome)) \(.time(shown.endedAt))"
    }

    // MARK: - Drills

    var drills: Markup {
        let drills = records.drills.reversed()
        guard !drills.isEmpty else { return "" }
        let rows = drills.prefix(min(limits.rows, 100)).map { drill -> [Markup] in
            [
                .time(drill.endedAt), .drill(drill.outcome), "\(drill.origin.text)", .seconds(drill.durationSeconds),
                why(drill),
            ]
        }
        let rest = drills.count - rows.count
        let more: Markup = rest > 0 ? "<p class=\"note\">\(.count(rest)) older drills are not listed.</p>" : ""
        let table = PageTable("Drills, the newest first", ["ended", "outcome", "of", "took#", "what was wrong"], rows)
        return section("drills", "Restore drills", table.html + more)
    }

    private func why(_ drill: DrillRecord) -> Markup {
        let failures = [drill.error].compactMap(\.self) + drill.dumps.compactMap(\.error)
        guard !failures.isEmpty else {
            return drill.outcome == .failed ? "what came back differs from the manifest" : "–"
        }
        return failures.map { failure in
            "\(failure.message)\(failure.hint.map { "<br><span class=\"hint\">\($0)</span>" as Markup } ?? "")"
        }.joined(by: "<br>")
    }
}

extension Markup {
    fileprivate static func drill(_ outcome: DrillRecord.Outcome) -> Markup {
        let (sign, word) =
            switch outcome {
            case .proven: ("s-done", "proven")
            case .sampled: ("s-part", "a part proven")
            case .failed: ("s-failed", "failed")
            }
        return
            "<span class=\"outcome\"><svg class=\"sign\" aria-hidden=\"true\"><use href=\"#\(sign)\" x=\"8\" y=\"8\"/></svg>\(word)</span>"
    }
}
