import Testing

@testable import DumpCore

@Suite("Digits")
struct DigitsTests {
    @Test(
        "have zeros before them, and are never cut",
        arguments: [
            (0, 1, 10, "0"), (7, 3, 10, "007"), (1234, 3, 10, "1234"), (0xE9, 2, 16, "e9"), (0x9, 2, 16, "09"),
            (0o33, 3, 8, "033"), (0x1F600, 4, 16, "1f600"),
        ])
    func padded(number: Int, count: Int, radix: Int, text: String) {
        #expect(number.digits(count, radix: UInt64(radix)) == text)
    }

    @Test("go to the ends of their types")
    func ends() {
        #expect(UInt64.max.digits(16, radix: 16) == "ffffffffffffffff")
        #expect(UInt64.max.digits(1, radix: 2) == String(repeating: "1", count: 64))
        #expect(UInt8(0x0A).digits(2, radix: 16, uppercase: true) == "0A")
        #expect(1.digits(70) == String(repeating: "0", count: 69) + "1")
    }

    @Test("in pairs of lower-case hex spell bytes, and nothing else does", arguments: ["0", "0G", "0A", " 0", "é"])
    func bytes(wrong: String) {
        #expect(DumpCore.bytes(ofHex: "00ff7a".utf8) == [0x00, 0xFF, 0x7A])
        #expect(DumpCore.bytes(ofHex: "".utf8) == [])
        #expect(DumpCore.bytes(ofHex: wrong.utf8) == nil)
    }
}
