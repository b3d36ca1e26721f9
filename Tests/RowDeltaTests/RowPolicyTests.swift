import DumpCore
import Testing

@testable import RowDelta

@Suite("When a table is stored whole again")
struct RowPolicyTests {
    private let base = Timestamp("2026-01-01T00:00:00Z")!

    private func after(_ days: Int) -> Timestamp {
        Timestamp(milliseconds: base.milliseconds + Int64(days) * 86_400_000)
    }

    @Test("is spread over tables and nights, between half of the greatest age and all of it")
    func spread() {
        let policy = RowPolicy()
        let tables = (1...1000).map { "public.table_\($0)" }
        let due = tables.map { table in (0...200).first { policy.isDue(base, of: table, at: after($0)) } ?? 0 }
        #expect(due.allSatisfy { (45...90).contains($0) })
        #expect(Set(due).count >= 44)
        #expect(Set(due).map { day in due.count { $0 == day } }.max() ?? 0 < 60, "no night has more than 6 % of them")
    }

    @Test("is due when a base is of a future that is as far away")
    func future() {
        #expect(RowPolicy().isDue(after(100), of: "public.t", at: base))
        #expect(!RowPolicy().isDue(after(2), of: "public.t", at: base))
    }

    @Test("Names go on where a clock was set back, and are those of times")
    func names() {
        let name = RowName.text(of: base)
        #expect(name == "20260101T000000Z" && RowName.time(of: name) == base)
        #expect(RowName.next(after: after(3), at: base) == "20260104T000001Z")
        #expect(RowName.next(after: base, at: base) == "20260101T000001Z")
        #expect(RowName.next(after: base, at: after(3)) == "20260104T000000Z")
        for wrong in [
            "", "20260101T000000", "20261301T000000Z", "2026-01-01T0000Z", "20260101T000000Zx", "aaaaaaaaTbbbbbbZ",
        ] {
            #expect(RowName.time(of: wrong) == nil, "\(wrong)")
        }
    }

    @Test("Of many changes the last half at least becomes one, and earlier ones that are no larger than these")
    func folding() {
        let policy = RowPolicy()
        #expect(policy.folded([Int64](repeating: 5, count: 65)) == 65)
        #expect(policy.folded([1000] + [Int64](repeating: 5, count: 64)) == 64)
        #expect(policy.folded([10] + [Int64](repeating: 1000, count: 20) + [Int64](repeating: 1, count: 44)) == 44)
    }
}
