import Documents
import Staging
import TestSupport
import Testing

@Suite("JSON for scripts")
struct JSONTests {
    @Test("shows a terminal nothing that it obeys, and says what was meant")
    func escapes() throws {
        let names = ["\u{1B}[2J", "\u{9B}31m", "\u{7F}", "a\r\nb", "\u{2028}", "\u{202E}", "\u{61C}é日"]
        let line = try SnakeCaseJSON.line(names)
        #expect(
            line == #"["\u001b[2J","\u009b31m","\u007f","a\r\nb","\u2028","\u202e","\u061cé日"]"#)
        #expect(try SnakeCaseJSON.decode([String].self, from: SnakeCaseJSON.encode(names)) == names)
    }
}
