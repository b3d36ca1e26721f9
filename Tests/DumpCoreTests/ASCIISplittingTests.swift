import DumpCore
import Testing

@Suite("Text from outside is taken apart by bytes")
struct ASCIISplittingTests {
    @Test("A separator counts whatever follows it")
    func separators() {
        #expect("a\r\nb\n\u{301}c".split(atASCII: "\n") == ["a\r", "b", "\u{301}c"])
        #expect("x |\u{301}y||z".split(atASCII: "|", omittingEmptySubsequences: false) == ["x ", "\u{301}y", "", "z"])
        #expect("one \u{301}two  three four".split(atASCII: " ", maxSplits: 2) == ["one", "\u{301}two", " three four"])
        #expect(" a\t\r\n\u{301}b ".splitAtASCIISpace() == ["a", "\u{301}b"])
    }

    @Test("A character and a prefix are found whatever follows them")
    func positions() throws {
        let text = "key:\u{301}value"
        let colon = try #require(text.firstIndex(ofASCII: ":"))
        #expect(text[..<colon] == "key")
        #expect("-\u{301}x".hasBytePrefix("-"))
        #expect(!"-\u{301}x".hasPrefix("-"), "as characters they differ, which is why")
    }
}
