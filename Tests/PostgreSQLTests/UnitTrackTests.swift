import DumpCore
import Testing

@testable import PostgreSQL

@Suite("What is seen of a running unit")
struct UnitTrackTests {
    private let start = ContinuousClock.now
    private let orders = TableID(database: 5, table: 16384)
    private let customers = TableID(database: 5, table: 16385)

    @Test("Its progress is the sum over tables that were and are copied, against the sizes of all")
    func sum() {
        var track = track(estimate: 5000)
        #expect(track.progress == UnitProgress(bytes: 0, expectedBytes: 5000))
        track.sizes = [
            orders: TableSize(name: "public.orders", bytes: 1000),
            customers: TableSize(name: "public.customers", bytes: 300),
        ]
        track.note([backend(1, customers, 150)], stagedBytes: 100, at: start + .seconds(1))
        #expect(track.progress == UnitProgress(bytes: 150, expectedBytes: 1300, detail: "public.customers"))
        // Copied, it counts as what it came to, and one that outgrows its size as what it is.
        track.note([backend(1, orders, 1200)], stagedBytes: 100, at: start + .seconds(2))
        #expect(track.progress == UnitProgress(bytes: 1350, expectedBytes: 1350, detail: "public.orders"))
        track.note([backend(1, nil, 0)], stagedBytes: 1500, at: start + .seconds(3))
        #expect(track.progress == UnitProgress(bytes: 1500, expectedBytes: 1500))
    }

    @Test("Several workers count together")
    func workers() {
        var track = track(estimate: 0)
        track.sizes = [
            orders: TableSize(name: "public.orders", bytes: 1000),
            customers: TableSize(name: "public.customers", bytes: 300),
        ]
        track.note([backend(1, orders, 10), backend(2, customers, 20)], stagedBytes: 0, at: start)
        #expect(
            track.progress == UnitProgress(bytes: 30, expectedBytes: 1300, detail: "public.customers and 1 more"))
    }

    @Test("It stands still only when neither server nor disk have a new byte, and no new statement has begun")
    func still() {
        var track = track(estimate: 0)
        track.note([backend(1, orders, 10, since: "1")], stagedBytes: 5, at: start + .seconds(10))
        #expect(track.stillFor == .zero)
        track.note([backend(1, orders, 10, since: "1")], stagedBytes: 5, at: start + .seconds(30))
        #expect(track.stillFor == .seconds(20))
        track.note([backend(1, orders, 11, since: "1")], stagedBytes: 5, at: start + .seconds(40))
        #expect(track.stillFor == .zero)
        track.note([backend(1, orders, 11, since: "1")], stagedBytes: 6, at: start + .seconds(50))
        #expect(track.stillFor == .zero)
        track.note([backend(1, orders, 11, since: "2")], stagedBytes: 6, at: start + .seconds(60))
        #expect(track.stillFor == .zero)
    }

    @Test("Time in which the host slept does not count")
    func asleep() {
        var track = track(estimate: 0)
        track.note([], stagedBytes: 5, at: start + .seconds(1))
        track.note([], stagedBytes: 5, at: start + .seconds(36_000))
        #expect(track.stillFor == .seconds(60))
    }

    @Test("No single look shows that it stands still, however long it was not looked at")
    func severalLooks() {
        var track = track(estimate: 0, limit: .seconds(8))
        track.note([], stagedBytes: 0, at: start + .seconds(30))
        #expect(track.stillFor == .seconds(2))
        for look in 1...3 { track.note([], stagedBytes: 0, at: start + .seconds(30 + 2 * look)) }
        #expect(track.stillFor == .seconds(8))
    }

    @Test("The name on the server is one's own, is not cut, and leads back to the run")
    func names() throws {
        let run = try #require(RunID("20261123T080102Z-5f3a"))
        #expect(FollowedUnit.name("muster \(run)", of: run, 7) == "muster 20261123T080102Z-5f3a/7")
        #expect(FollowedUnit.name("", of: run, 7) == "20261123T080102Z-5f3a/7")
        #expect(FollowedUnit.name("nächtlich", of: run, 7) == "nchtlich 20261123T080102Z-5f3a/7")
        let long = FollowedUnit.name(String(repeating: "x", count: 200), of: run, .max)
        #expect(long.utf8.count == 63)
        #expect(long.hasSuffix(" 20261123T080102Z-5f3a/\(Int.max)"))
    }

    private func track(estimate: Int64, limit: Duration? = nil) -> UnitTrack {
        UnitTrack(of: WorkUnit(name: "shop", path: "shop", estimatedBytes: estimate), at: start, limit: limit)
    }

    private func backend(_ pid: Int64, _ table: TableID?, _ bytes: Int64, since: String? = nil) -> DumpBackend {
        DumpBackend(
            pid: pid, applicationName: "muster", copy: table.map { DumpBackend.Copy(table: $0, bytes: bytes) },
            statementStart: since)
    }
}
