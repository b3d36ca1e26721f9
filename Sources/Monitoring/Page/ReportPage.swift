import DumpCore
import Staging

/// A page about one job or several: one HTML file that needs no other, runs no script, and asks no server for anything.
///
/// Its numbers are those of the reports, ledgers and drill records that it is made from; the exact ones are in attributes.
public struct ReportPage: Sendable {
    public enum Entry: Sendable {
        case job(ReportMaterial)
        /// A job about which nothing can be said, and why.
        case unreadable(job: String, Finding)
    }

    private let entries: [Entry]
    private let host: String
    private let tool: Manifest.Tool
    private let now: Timestamp
    private let isOverview: Bool

    /// - Parameters:
    ///   - entries: at least one, unless it is an overview.
    ///   - isOverview: whether it is about all jobs of the host, even if that is one.
    ///   - now: what ages count to.
    public init(
        _ entries: [Entry], isOverview: Bool = false, host: String, tool: Manifest.Tool, at now: Timestamp = .now
    ) {
        (self.entries, self.host, self.tool, self.now) = (entries, host, tool, now)
        self.isOverview = isOverview || entries.count != 1
    }

    public var html: String {
        let parts = entries.enumerated().map(part)
        let verdict = parts.map(\.verdict).max() ?? .ok
        let name = isOverview ? "Backups of \(host)" : parts[0].name
        let page: Markup = """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src \(Markup(stringLiteral: PageStyle.source)); base-uri 'none'; form-action 'none'">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <meta name="referrer" content="no-referrer">
            <meta name="robots" content="noindex">
            <title>\(verdict.word): \(name)</title>
            <style>\(Markup(stringLiteral: PageStyle.text))</style>
            </head>
            <body>
            \(PageSigns.definitions)
            <header><p class="eyebrow">Backup report\(isOverview ? "" : " of \(host)" as Markup)</p><h1>\(name)</h1>
            <p class="asof">As of \(.time(now)). All times are UTC.</p></header>
            <main>
            \(isOverview ? overview(parts) : "")\(parts.map(\.html))</main>
            <footer><p>Made by \(tool.name) \(tool.version) from what runs, archives and drills have left on record on this host. No server and no repository was asked.</p></footer>
            </body>
            </html>

            """
        return page.text
    }

    private struct Part {
        var id: String
        var name: String
        var verdict: Verdict
        var lastSet: Markup
        var size: Markup
        var html: Markup
    }

    private func part(_ place: Int, _ entry: Entry) -> Part {
        let id = "j\(place)"
        switch entry {
        case .unreadable(let job, let finding):
            let html: Markup = """
                <article id="\(id)"><h2>\(job)</h2>
                <div class="verdict failed"><p class="word"><svg class="sign" aria-hidden="true"><use href="#v-failed" x="16" y="16"/></svg><strong>FAILED</strong> \
                <span>\(finding.message)</span></p>\(finding.hint.map { "<p class=\"hint\">\($0)</p>" as Markup } ?? "")</div></article>

                """
            return Part(id: id, name: job, verdict: .failed, lastSet: "–", size: "–", html: html)
        case .job(let material):
            let page = JobPage(
                material, id: id, level: isOverview ? 2 : 1, limits: PageLimits(jobs: entries.count), at: now)
            let body: Markup =
                isOverview ? "<article id=\"\(id)\"><h2>\(page.job.name)</h2>\n\(page.body)</article>\n" : page.body
            return Part(
                id: id, name: page.job.name, verdict: page.health.verdict,
                lastSet: page.history.published.first.map { .age(of: $0.succeededAt, at: now) } ?? "never",
                size: page.records.status.set.map { .bytes($0.bytes) } ?? "–", html: body)
        }
    }

    private func overview(_ parts: [Part]) -> Markup {
        guard !parts.isEmpty else { return "<p>There is no job on this host.</p>\n" }
        let table = PageTable(
            "All jobs", ["job", "verdict", "last set", "size#"],
            parts.map { ["<a href=\"#\($0.id)\">\($0.name)</a>", .verdict($0.verdict), $0.lastSet, $0.size] })
        return "<section id=\"jobs\" aria-labelledby=\"jobs-h\"><h2 id=\"jobs-h\">Jobs</h2>\n\(table.html)</section>\n"
    }
}

extension Markup {
    fileprivate static func verdict(_ verdict: Verdict) -> Markup {
        let sign =
            switch verdict {
            case .ok: "s-done"
            case .warning: "s-warning"
            case .failed: "s-failed"
            }
        return
            "<span class=\"outcome\"><svg class=\"sign\" aria-hidden=\"true\"><use href=\"#\(sign)\" x=\"8\" y=\"8\"/></svg>\(verdict.word)</span>"
    }
}
