import DumpCore
import Linux
import Testing

@testable import Borg
@testable import Catalog
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

    private static func holdings(_ days: [Int]) -> Holdings {
        var holdings = Holdings(owner: ArchiveOwner(names: [series]))
        holdings.archives = days.sorted(by: >).map { archive($0) }
        return holdings
    }

    /// A reading of the clock on a day in November 2026, at noon, `days` after the system has started.
    private static func clock(_ day: Int, up days: Int64 = 0) -> ClockReading {
        ClockReading(time: Timestamp("2026-11-\(day)T12:00:00Z")!, bootID: "boot", millisecondsUp: days * 86_400_000)
    }

    /// What is known after an archive was confirmed on each of these days, one after the other.
    private static func confirming(_ days: [Int]) -> RepositoryLedger {
        var ledger = RepositoryLedger()
        for (number, day) in days.enumerated() {
            ledger.confirm(
                archive(day), of: begun(archive(day)), at: "/repo", number: number + 1,
                clock: clock(day, up: Int64(10 + number)))
        }
        return ledger
    }

    private static func keeping(daily count: Int) -> Retention {
        var retention = Retention()
        retention[.daily] = count
        return retention
    }

    @Test("Archives that were never confirmed go, and take no place of a confirmed one")
    func unconfirmed() throws {
        var ledger = RepositoryLedger()
        for day in 10...12 {
            ledger.confirm(Self.archive(day), of: Self.begun(Self.archive(day)), at: "/repo", number: 1)
        }
        ledger.trust(Self.clock(20))
        for day in 13...19 { ledger.begin(Self.begun(Self.archive(day))) }
        let plan = PrunePlan(
            Self.holdings(Array(10...19)), keeping: Self.keeping(daily: 2), knowing: ledger, at: Self.clock(20))
        #expect(plan.staying.map(\.id) == ["id12", "id11"])
        #expect(plan.staying.map(\.kept?.description) == ["daily #1", "daily #2"])
        #expect(plan.going.map(\.id) == ["id19", "id18", "id17", "id16", "id15", "id14", "id13", "id10"])
        try plan.requireConfirmed(in: "offsite")
    }

    @Test("A plan that leaves nothing confirmed is refused, however many archives stay that the operator has accepted")
    func refused() {
        var ledger = RepositoryLedger()
        ledger.trust(Self.clock(13))
        ledger.acceptedArchives = ["id10", "id11", "id12"]
        let plan = PrunePlan(
            Self.holdings([10, 11, 12]), keeping: Self.keeping(daily: 2), knowing: ledger, at: Self.clock(13))
        let error = #expect(throws: BorgError.self) { try plan.requireConfirmed(in: "offsite") }
        #expect(
            error?.description == """
                pruning repository 'offsite' would leave no archive that Muster confirmed
                  would_go: web1-nightly-2026-11-10T08:01:02Z (unknown)
                  hint: Nothing was deleted. Make one first: muster archive. Or keep more.
                """)
    }

    @Test("What was confirmed last stays, although the clock was behind and no rule keeps it")
    func newestConfirmed() {
        var ledger = Self.confirming([18, 19, 10])
        ledger.trust(Self.clock(20))
        let plan = PrunePlan(
            Self.holdings([18, 19, 10]), keeping: Self.keeping(daily: 1), knowing: ledger, at: Self.clock(20))
        #expect(plan.obstacles == [])
        #expect(plan.staying.map(\.kept?.description) == ["daily #1", "newest confirmed #1"])
        #expect(plan.staying.map(\.id) == ["id19", "id10"])
    }

    @Test("A jump of the clock stops pruning until it shows again what it would, or the operator says that it is right")
    func jump() throws {
        let behind = Self.confirming([18, 19, 10])
        let plan = PrunePlan(
            Self.holdings([10, 18, 19]), keeping: Self.keeping(daily: 2), knowing: behind, at: Self.clock(10, up: 10))
        #expect(plan.obstacles.map(\.code) == ["clock_jumped", "archive_dated_ahead"])
        let error = #expect(throws: BorgError.self) { try plan.requireConfirmed(in: "offsite") }
        #expect(
            error?.description == """
                repository 'offsite' is not pruned: the clock jumped from 2026-11-19T12:00:00.000Z to 2026-11-10T12:00:00.000Z \
                between two archives
                  archive_dated_ahead: archive 'web1-nightly-2026-11-19T08:01:02Z' is dated in the future, \
                2026-11-19T08:01:02.000Z: the clock was ahead, or is behind now
                  hint: Set the clock right. If it is right: muster accept --clock.
                """)
        let later = PrunePlan(
            Self.holdings([10, 18, 19]), keeping: Self.keeping(daily: 2), knowing: behind, at: Self.clock(20, up: 20))
        #expect(later.obstacles == [])
    }

    @Test(
        "A clock that is days ahead of the time that the system is up has jumped; a host that was off for a week has not"
    )
    func ahead() {
        let noon = Self.clock(10, up: 1)
        #expect(ClockJump(from: noon, to: Self.clock(17, up: 8)) == nil)
        #expect(ClockJump(from: noon, to: Self.clock(17, up: 1)) != nil)
        #expect(ClockJump(from: noon, to: Self.clock(11, up: 1)) == nil)
        var restarted = Self.clock(17)
        restarted.bootID = "another"
        #expect(ClockJump(from: noon, to: restarted) == nil)
        restarted.time = Self.clock(26).time
        #expect(ClockJump(from: noon, to: restarted) != nil)
        restarted.time = Self.clock(10).time
        #expect(ClockJump(from: Self.clock(11), to: restarted) != nil)
    }

    @Test(
        "A clock that was years ahead once makes no archive go by its age: not then, not the next time, not when it is right again"
    )
    func yearsAhead() {
        var ledger = Self.confirming([10, 11])
        var retention = Retention()
        retention.within = Retention.Span("30d")
        let future = Timestamp("2037-11-12T12:00:00Z")!
        let provenance = Provenance(series: Self.series, runID: RunID(start: future), manifestSHA256: "00")
        let archive = Archive(
            name: Self.series.name(at: future), id: "future", start: future, provenance: provenance)
        let reading = ClockReading(time: future, bootID: "boot", millisecondsUp: 12 * 86_400_000)
        ledger.confirm(archive, of: Self.begun(archive), at: "/repo", number: 3, clock: reading)
        var holdings = Self.holdings([10, 11])
        holdings.archives.insert(archive, at: 0)
        for now in [reading, ClockReading(time: future, bootID: "boot", millisecondsUp: 13 * 86_400_000)] {
            let plan = PrunePlan(holdings, keeping: retention, knowing: ledger, at: now)
            #expect(plan.obstacles.map(\.code) == ["clock_jumped"])
        }
        let right = PrunePlan(holdings, keeping: retention, knowing: ledger, at: Self.clock(13, up: 13))
        #expect(right.obstacles.map(\.code) == ["archive_dated_ahead"])
        ledger.acceptedArchives = ["future"]
        ledger.trust(Self.clock(13, up: 13))
        let accepted = PrunePlan(holdings, keeping: retention, knowing: ledger, at: Self.clock(13, up: 13))
        #expect(accepted.obstacles == [])
        #expect(accepted.going.isEmpty)
        #expect(accepted.staying.first?.kept?.rule == "dated ahead")
    }

    @Test("Archives that this staging area did not make stop pruning, until they are accepted and count as its own")
    func unknown() throws {
        var ledger = Self.confirming([10, 11])
        let plan = PrunePlan(
            Self.holdings([10, 11, 12]), keeping: Self.keeping(daily: 1), knowing: ledger,
            at: Self.clock(12, up: 12))
        #expect(plan.obstacles.map(\.code) == ["archives_unknown"])
        ledger.acceptedArchives = ["id12"]
        let accepted = PrunePlan(
            Self.holdings([10, 11, 12]), keeping: Self.keeping(daily: 1), knowing: ledger, at: Self.clock(12, up: 12))
        #expect(accepted.obstacles == [])
        #expect(accepted.staying.map(\.id) == ["id12", "id11"])
    }

    @Test("Where nothing goes, nothing is refused")
    func nothingGoes() throws {
        let plan = PrunePlan(
            Self.holdings([10, 11]), keeping: Self.keeping(daily: 2), knowing: Self.confirming([10, 11]),
            at: Self.clock(12, up: 12))
        try plan.requireConfirmed(in: "offsite")
        #expect(plan.going.isEmpty)
    }

    @Test("A ledger forgets what is gone, of its series alone, and notes checks by their kind")
    func ledger() {
        var ledger = RepositoryLedger()
        let other = Self.archive(12, series: ArchiveSeries(host: "web0", job: "nightly"))
        for archive in [Self.archive(10), Self.archive(11), other] {
            ledger.confirm(archive, of: Self.begun(archive), at: "/repo", number: 1)
        }
        ledger.begin(Self.begun(Self.archive(13)))
        ledger.keepOnly([Self.archive(11)], of: ArchiveOwner(names: [Self.series]))
        #expect(ledger.confirmed.map(\.id) == ["id11", "id12"])
        #expect(ledger.begun.isEmpty)

        ledger.note(.part(atMost: .seconds(1)), at: Timestamp(milliseconds: 1))
        #expect(ledger.lastCheckAt == Timestamp(milliseconds: 1))
        #expect(ledger.lastDataVerificationAt == nil)
        ledger.note(.data, at: Timestamp(milliseconds: 2))
        #expect([ledger.lastCheckAt, ledger.lastDataVerificationAt] == [2, 2].map { Timestamp(milliseconds: $0) })
    }
}
