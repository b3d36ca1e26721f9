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
}
