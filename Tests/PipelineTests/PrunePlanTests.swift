import DumpCore
import Testing

@testable import Borg
@testable import Pipeline

@Suite("A plan to prune")
struct PrunePlanTests {
    private static let series = ArchiveSeries(host: "web1", job: "nightly")

    /// The archive of a day in November 2026.
    private static func archive(_ day: Int, series: ArchiveSeries = series) -> Archive {
        let time = Timestamp("2026-11-\(day)T08:01:02Z")!
        let provenance = Provenance(series: series, runID: RunID(start: time), manifestSHA256: "00")
        return Archive(name: series.name(at: time), id: "id\(day)", start: time, provenance: provenance)
    }

    private static func begun(_ archive: Archive) -> BegunArchive {
        BegunArchive(name: archive.name, provenance: archive.provenance!)
    }

    private static func holdings(_ days: [Int]) -> SeriesHoldings {
        var holdings = SeriesHoldings(series: series)
        holdings.archives = days.sorted(by: >).map { archive($0) }
        return holdings
    }

    private static func keeping(daily count: Int) -> Retention {
        var retention = Retention()
        retention[.daily] = count
        return retention
    }

    @Test("Archives that were never confirmed go, and take no place of a confirmed one")
    func unconfirmed() throws {
        var ledger = RepositoryLedger()
        for day in 10...12 { ledger.confirm(Self.archive(day), of: Self.begun(Self.archive(day)), at: "/repo") }
        for day in 13...19 { ledger.begin(Self.begun(Self.archive(day))) }
        let plan = PrunePlan(Self.holdings(Array(10...19)), keeping: Self.keeping(daily: 2), knowing: ledger)
        #expect(plan.staying.map(\.id) == ["id12", "id11"])
        #expect(plan.staying.map(\.kept?.description) == ["daily #1", "daily #2"])
        #expect(plan.going.map(\.id) == ["id19", "id18", "id17", "id16", "id15", "id14", "id13", "id10"])
        try plan.requireConfirmed(in: "offsite")
    }

    @Test("A plan that leaves nothing confirmed is refused, however many unknown archives stay")
    func refused() {
        var ledger = RepositoryLedger()
        ledger.confirm(Self.archive(10), of: Self.begun(Self.archive(10)), at: "/repo")
        let plan = PrunePlan(Self.holdings([10, 11, 12]), keeping: Self.keeping(daily: 2), knowing: ledger)
        let error = #expect(throws: BorgError.self) { try plan.requireConfirmed(in: "offsite") }
        #expect(
            error?.description == """
                pruning repository 'offsite' would leave no archive that Muster confirmed
                  would_go: web1-nightly-2026-11-10T08:01:02Z (confirmed)
                  hint: Nothing was deleted. Have one made first: muster archive. Or keep more.
                """)
    }

    @Test("Where nothing goes, nothing is refused")
    func nothingGoes() throws {
        let plan = PrunePlan(
            Self.holdings([10, 11]), keeping: Self.keeping(daily: 2), knowing: RepositoryLedger())
        try plan.requireConfirmed(in: "offsite")
        #expect(plan.going.isEmpty)
    }

    @Test("A ledger forgets what is gone, of its series alone, and notes checks by their kind")
    func ledger() {
        var ledger = RepositoryLedger()
        let other = Self.archive(12, series: ArchiveSeries(host: "web0", job: "nightly"))
        for archive in [Self.archive(10), Self.archive(11), other] {
            ledger.confirm(archive, of: Self.begun(archive), at: "/repo")
        }
        ledger.begin(Self.begun(Self.archive(13)))
        ledger.keepOnly([Self.archive(11)], of: Self.series)
        #expect(ledger.confirmed.map(\.id) == ["id11", "id12"])
        #expect(ledger.begun.isEmpty)

        ledger.note(.part(atMost: .seconds(1)), at: Timestamp(milliseconds: 1))
        #expect(ledger.lastCheckAt == Timestamp(milliseconds: 1))
        #expect(ledger.lastDataVerificationAt == nil)
        ledger.note(.data, at: Timestamp(milliseconds: 2))
        #expect([ledger.lastCheckAt, ledger.lastDataVerificationAt] == [2, 2].map { Timestamp(milliseconds: $0) })
    }
}
