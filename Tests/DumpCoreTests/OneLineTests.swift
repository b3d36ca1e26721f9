import DumpCore
import Testing

@Suite("What an operator is told")
struct OneLineTests {
    @Test("is one line, whatever a file is called")
    func controlCharacters() {
        let name = "a\nb\u{1B}[2Jc\u{7F}é\t"
        let expected = #"cannot read a\012b\033[2Jc\177é\011"#
        #expect(DumpError(.system, "cannot read \(name)").message == expected)
        #expect(Finding(.note, "read", object: name, "cannot read \(name)").message == expected)
    }

    @Test(
        "holds nothing that a terminal or the journal obeys",
        arguments: [
            ("\u{1B}]0;title\u{07}", #"\033]0;title\007"#), ("\u{9B}31m", #"\u{009B}31m"#), ("a\r\nb", #"a\015\012b"#),
            ("a\u{2028}b\u{2029}c", #"a\u{2028}b\u{2029}c"#),
            ("\u{202E}\u{2066}\u{200F}\u{061C}", #"\u{202E}\u{2066}\u{200F}\u{061C}"#),
            ("e\u{301} und 日本 und 👩‍👩‍👧", "e\u{301} und 日本 und 👩‍👩‍👧"), (#"C:\new"#, #"C:\new"#),
        ])
    func obeyed(name: String, shown: String) {
        #expect(name.onOneLine == shown)
        #expect(shown.onOneLine == shown)
        #expect([name, name].asLines == "\(shown)\n\(shown)")
    }

    @Test("is an error whose facts stand indented, whatever ends their lines, so that none begins a line of its own")
    func facts() {
        let error = DumpError(
            .system, "cannot\r\nread", hint: "Try\nagain.",
            context: ["said": "one\r\n<2>muster: all is well\u{2028}x", "a\nb": "c"])
        #expect(
            error.description == #"""
                cannot\015\012read
                  said:
                    one\015
                    <2>muster: all is well\u{2028}x
                  a\012b: c
                  hint: Try\012again.
                """#)
    }
}
