import Testing

@testable import MusterCommands

@Suite("A line on a terminal")
struct WrappingTests {
    @Test("is broken between words, and what follows is indented")
    func words() {
        #expect("one two three".wrapped(to: 20) == "one two three")
        #expect("one two three four".wrapped(to: 9) == "one two\n    three\n    four")
        #expect("  hint: mend it now".wrapped(to: 14) == "  hint: mend\n      it now")
        #expect("a b\nccc ddd".wrapped(to: 4) == "a b\nccc\n    ddd")
    }

    @Test("is not broken within a word, and loses no character")
    func long() {
        let path = "/a/very/long/path/that/is/to/be/copied"
        #expect("in \(path) now".wrapped(to: 10) == "in\n    \(path)\n    now")
        for width in 1...40 {
            let text = "  words of   several lengths, and \(path) too"
            let wrapped = text.wrapped(to: width)
            #expect(wrapped.filter { $0 != " " && $0 != "\n" } == text.filter { $0 != " " })
        }
    }
}
