import DumpCore
import Testing

@Suite("A number that others tell")
struct SaturatingTests {
    @Test(
        "is the nearest that there is",
        arguments: [
            (1e308, .max), (-1e300, .min), (.nan, 0), (.infinity, .max), (9.223372036854775807e18, .max),
            (0x1p63, .max),
            (-0x1p63, .min), (1.5, 2), (-0.4, 0),
        ] as [(Double, Int64)])
    func nearest(value: Double, number: Int64) {
        #expect(Int64(nearest: value) == number)
    }

    @Test("adds up to no more than there is")
    func total() {
        #expect([Int64.max, .max, 1].total == .max)
        #expect([Int64.min, -1].total == .min)
        #expect([Int64(1), 2].total == 3)
    }

    @Test("differs by no more than there is")
    func difference() {
        #expect(Int64.max.minus(-1) == .max)
        #expect(Int64.min.minus(1) == .min)
        #expect(Int64(0).minus(.min) == .max)
        #expect(Int64(1).minus(3) == -2)
    }
}
