import Borg
import DumpCore
import Processes
import TestSupport
import Testing

@Suite("Retention")
struct RetentionTests {
    /// `keep:` as a job has it, and the same for `borg prune`.
    struct Policy: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var retention = Retention()

        init(_ counts: [Retention.Rule: Int], within: String? = nil) {
            for (rule, count) in counts { retention[rule] = count }
            retention.within = within.flatMap { Retention.Span($0) }
            testDescription = "\(counts.map { "\($0.key) \($0.value)" }.sorted()) \(within ?? "")"
        }

        var options: [String] {
            Retention.Rule.allCases.flatMap { rule in
                retention[rule].map { ["--keep-\(rule.rawValue)", String($0)] } ?? []
            } + (retention.within.map { ["--keep-within", $0.description] } ?? [])
        }

        static let all = [
            Policy([.daily: 1]), Policy([.daily: 7, .weekly: 4, .monthly: 6]), Policy([.daily: 7, .yearly: -1]),
            Policy([.last: 3]), Policy([.secondly: 2, .minutely: 2, .hourly: 2, .weekly: 2]), Policy([.weekly: -1]),
            Policy([.monthly: 100]), Policy([:], within: "2w"), Policy([.daily: 2, .monthly: 1], within: "36H"),
            Policy([.yearly: 1], within: "1y"), Policy([.last: -1]), Policy([.hourly: 3, .yearly: 50], within: "6m"),
        ]
    }

    /// Hours ago: several in an hour, in a day, around the ends of weeks and years, and gaps.
    private static let ages: [Double] = [
        0.2, 0.21, 0.9, 1.5, 3, 7, 25, 26, 49, 80, 101, 125, 151, 200, 290, 335, 400, 700, 745, 900, 1500, 2300, 2301,
        4400, 4600, 7000, 8700, 8800, 16_000, 26_300,
    ]

    @Test("What stays, and by which rule, is what borg prune keeps", arguments: BorgUnderTest.allCases)
    func sameAsBorg(version: BorgUnderTest) async throws {
        try await Host.withRepository(version) { host in
            let now = Timestamp.now
            for age in Self.ages {
                try await host.plant(at: Timestamp(milliseconds: now.milliseconds - Int64(age * 3_600_000)))
            }
            let archives = try await host.repository().holdings(of: Host.owner).archives
            #expect(archives.count == Self.ages.count)
            for policy in Policy.all {
                let ours = policy.retention.reasons(toKeep: archives)
                let kept = archives.compactMap { archive in
                    ours[archive.id].map { "\($0.description.replacing("last #", with: "secondly #")) \(archive.name)" }
                }
                let keptByBorg = try await host.keptByBorg(policy.options)
                #expect(kept == keptByBorg, "\(policy.testDescription)")
            }
        }
    }

    @Test("Each rule keeps the newest of a period, and counts none that another keeps")
    func rules() {
        let policy = Policy([.daily: 1, .monthly: 1], within: "1d")
        let now = Timestamp("2026-11-23T12:00:00Z")!
        let names = [
            "2026-11-23T11", "2026-11-23T01", "2026-11-22T23", "2026-11-22T09", "2026-11-21T09", "2025-03-01T00",
        ]
        let archives = names.map { name in
            Archive(name: name, id: name, start: Timestamp("\(name):00:00Z")!, provenance: nil)
        }
        let reasons = policy.retention.reasons(toKeep: archives.shuffled(), at: now)
        #expect(
            names.map { reasons[$0]?.description } == [
                "within #1", "within #2", "within #3", nil, "daily #1", "monthly #1",
            ])
    }

    @Test("Of several archives that one second has, the one that was named last is the newest")
    func sameSecond() {
        let start = Timestamp("2026-11-23T11:00:00Z")!
        let archives = [3, 1, 2].map {
            Archive(name: "vm-shop-2026-11-23T11:00:0\($0)Z", id: "\($0)", start: start, provenance: nil)
        }
        #expect(archives.sorted { $0.isOlder(than: $1) }.map(\.id) == ["1", "2", "3"])
        #expect(Policy([.daily: 1]).retention.reasons(toKeep: archives).keys.sorted() == ["3"])
    }

    @Test("Nothing stays of nothing, and a rule that asks for more than there is keeps the oldest too")
    func edges() {
        #expect(Policy([.daily: 7]).retention.reasons(toKeep: []).isEmpty)
        let archives = ["2026-11-23T11", "2026-11-23T01"].map { name in
            Archive(name: name, id: name, start: Timestamp("\(name):00:00Z")!, provenance: nil)
        }
        let reasons = Policy([.daily: 2]).retention.reasons(toKeep: archives)
        #expect(reasons.mapValues(\.description) == ["2026-11-23T11": "daily #1", "2026-11-23T01": "daily[oldest] #2"])
    }

    @Test(
        "A span is a number and a unit of Borg's, and m is a month",
        arguments: [("36H", 36), ("14d", 336), ("2w", 336), ("6m", 4464), ("1y", 8760)])
    func spans(text: String, hours: Int64) {
        let span = Retention.Span(text)
        #expect(span?.milliseconds == hours * 3_600_000)
        #expect(span?.description == text)
    }

    @Test(
        "Other text is no span",
        arguments: ["", "d", "0d", "-1d", "+1d", "1", "1h", "1M", "1.5d", "01d", "1d1H", "1000000d"])
    func noSpans(text: String) { #expect(Retention.Span(text) == nil) }
}

extension Host {
    /// An archive of our series that was made at another time, or of another's if the comment says so.
    func plant(
        at time: Timestamp, name: String? = nil, comment: String? = nil, series: ArchiveSeries = Host.series
    ) async throws {
        let provenance = Provenance(
            series: series, runID: RunID(start: time), manifestSHA256: String(repeating: "0", count: 64))
        try await borg.borg([
            "create", "--timestamp", String(time.iso8601(withMilliseconds: false).dropLast()), "--comment",
            comment ?? provenance.comment, "::" + (name ?? series.name(at: time)), "/etc/hostname",
        ])
    }

    /// `daily #1 NAME` for each archive that a rehearsal of borg prune keeps, newest first.
    fileprivate func keptByBorg(_ options: [String]) async throws -> [String] {
        let lines = Recorded<String>()
        let outcome = try await runner.run(
            Program(
                borg.program, ["prune", "--dry-run", "--list", "--glob-archives", Host.series.glob] + options,
                environment: ["BORG_REPO": borg.repository.string, "TZ": "UTC"].merging(borg.environment) { $1 },
                secrets: [.descriptor(namedBy: "BORG_PASSPHRASE_FD", Secret(borg.passphrase))])
        ) { lines.append($0) }
        #expect(outcome.succeeded, "\(outcome.lastErrors)")
        return lines.all.compactMap { line in
            line.firstMatch(of: #/^Keeping archive \(rule: (.+ #[0-9]+)\): +([^ ]+) /#).map { "\($0.1) \($0.2)" }
        }
    }
}
