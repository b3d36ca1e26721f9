import MusterConfig
import Testing

@Suite("YAML")
struct YAMLTests {
    @Test(
        "What YAML has beyond mappings, lists and text is refused",
        arguments: [
            ("", "1:1: the file is empty\n  hint: A job needs at least the keys staging and dumps."),
            ("# nothing\n", "1:1: the file is empty\n  hint: A job needs at least the keys staging and dumps."),
            ("a: 1\n---\nb: 1", "2:1: a second document begins here\n  hint: A file holds one job."),
            ("staging: /s\ndumps: {x: {provider: postgresql}}\n? [a]\n: 1", "3:3: a key must be text"),
            (
                "dumps: &all {x: {provider: postgresql}}\nstaging: /s",
                "1:8: anchors (&) are not allowed\n  hint: Put text that begins with & in quotes."
            ),
            (
                "dumps: {x: {provider: postgresql}}\nstaging: !!str /s",
                "2:10: tags (!) are not allowed\n  hint: Put text that begins with ! in quotes."
            ),
            (
                "dumps: {x: {provider: postgresql, <<: {run_as: x}}}\nstaging: /s",
                "1:35: merge keys are not allowed\n  hint: Write the keys out."
            ),
            (
                "dumps: {x: {provider: postgresql, databases: {exclude: [*_test]}}}\nstaging: /s",
                "1:57: aliases (*) are not allowed\n  hint: Write the value out; put text that begins with * in quotes."
            ),
            (
                "dumps:\n  x: {provider: postgresql}\n  x: {provider: postgresql}\nstaging: /s",
                "3:3: dumps.x is there twice, first in line 2"
            ),
        ])
    func refused(text: String, message: String) { #expect(mistakes(in: text) == "nightly.yaml:\(message)") }

    @Test("A file with more mistakes or values than a person would make is read no further")
    func absurd() {
        func many(_ count: Int, _ line: (Int) -> String) -> [Substring] {
            mistakes(in: (0..<count).map(line).joined(separator: "\n")).split(separator: "\n")
        }
        let keys = many(9_000) { "k\($0): v" }
        #expect(keys.count { $0.hasPrefix("nightly.yaml:") } == 103 && keys.count < 250)
        #expect(keys.contains("nightly.yaml:101:1: 8900 more unknown keys at the top level"))
        let twice = many(9_000) { _ in "dumps: v" }
        #expect(twice.count == 101)
        #expect(twice.last == "nightly.yaml:102:1: too many mistakes: the rest was not read")
        let values = many(20_000) { "k\($0): v" }
        #expect(values == ["nightly.yaml:10000:8: more than 20000 values; this is not a job file"])
    }

    @Test(
        "A mistake in syntax is reported where it is, with what to do",
        arguments: [
            (
                "staging: /s\ndumps:\n\tapp: {}",
                "3:1: not valid YAML: found character that cannot start any token while scanning for the next token\n"
                    + "  hint: Indent with spaces, not with tabs."
            ),
            (
                "dumps: {x: {databases: {exclude: [*]}}}",
                "1:35: not valid YAML: did not find expected alphabetic or numeric character\n"
                    + "  hint: Put text that begins with * in quotes."
            ),
            (
                "staging: a: b",
                "1:11: not valid YAML: mapping values are not allowed in this context\n"
                    + "  hint: Put text that contains ': ' in quotes, and indent all keys of a mapping alike."
            ),
            (
                "staging: /s\ndumps: {x: 1\n",
                "3:1: not valid YAML: did not find expected ',' or '}' while parsing a flow mapping that begins in line 2"
            ),
            (
                "run_as: @x",
                "1:9: not valid YAML: found character that cannot start any token while scanning for the next token\n"
                    + "  hint: Put text that begins with @ in quotes."
            ),
        ])
    func syntax(text: String, message: String) { #expect(mistakes(in: text) == "nightly.yaml:\(message)") }

    @Test("Bytes that are no UTF-8, and control characters, are reported where they are")
    func bytes() {
        #expect(
            mistakes(in: Array("staging: /s\n# äö".utf8) + [0xff])
                == "nightly.yaml:2:5: not valid UTF-8\n  hint: Save the file as UTF-8.")
        #expect(
            mistakes(in: "staging: \u{1b}[31m")
                == "nightly.yaml:1:10: control character U+001B\n  hint: Remove it."
        )
    }

    @Test("A terminal is not at the mercy of what is in the file")
    func escapes() {
        #expect(
            mistakes(in: "{staging: /s, dumps: {a: {provider: postgresql, \"\\e[31m\\n\": 1}}}").contains(
                "unknown key '\\u{1B}[31m\\n' in dumps.a"))
        let long = mistakes(
            in: "{staging: /s, dumps: {\(String(repeating: "x", count: 1000)): {provider: postgresql}}}")
        #expect(long.hasSuffix("found '\(String(repeating: "x", count: 60))…'"))
    }

    @Test("A byte order mark is skipped, and JSON without blanks is read")
    func otherForms() throws {
        let plan = try job("{staging: /s, dumps: {a: {provider: postgresql, connection: 'application_name=\"ä/\"'}}}")
        #expect(
            try job(
                "\u{feff}staging: /s\r\ndumps:\r\n  a:\r\n    provider: postgresql\r\n    connection: application_name=\"ä/\""
            )
                == plan)
        #expect(
            try job(
                #"{"staging":"\/s","dumps":{"a":{"provider":"postgresql","connection":"application_name=\"\u00e4/\""}}}"#
            )
                == plan)
    }

    @Test("Deep nesting is refused before it costs anything")
    func deep() {
        #expect(
            mistakes(in: String(repeating: "[", count: 500_000))
                == "nightly.yaml:1:33: nested more than 32 deep")
    }
}
