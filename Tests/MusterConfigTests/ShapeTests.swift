import PostgreSQL
import Settings
import SystemPackage
import Testing

/// A second kind of dump, with shapes that PostgreSQL has no use for.
private struct Sample: ProviderSettings {
    var isFrozen = true
    var path: FilePath = ""
    var offset = 0

    static let kind = ProviderKind(
        "sample", "A sample.",
        shape: ObjectShape(default: Sample())
            .key("frozen", \.isFrozen, .boolean, "Whether it is frozen.")
            .required("path", \.path, .absolutePath, "Where it is.")
            .key("offset", \.offset, .integer(-5...5), "Where it begins.")
    ) { _, _ in [] }
}

@Suite("Shapes")
struct ShapeTests {
    private func mistake(in keys: String) -> String {
        mistakes(
            in: "{staging: /s, dumps: {a: {provider: sample, path: /p, \(keys)}}}",
            kinds: ProviderKinds(kinds.builtIn + [Sample.kind]))
    }

    @Test("Only true and false are booleans")
    func booleans() {
        #expect(mistake(in: "frozen: true") == "")
        #expect(mistake(in: "frozen: false") == "")
        func message(_ found: String) -> String {
            "nightly.yaml:1:63: dumps.a.frozen: expected true or false, found \(found)"
        }
        for word in ["yes", "on", "Y", "True"] {
            #expect(mistake(in: "frozen: \(word)") == message("'\(word)'\n  hint: Write true."))
        }
        for word in ["no", "off", "N", "FALSE"] {
            #expect(mistake(in: "frozen: \(word)") == message("'\(word)'\n  hint: Write false."))
        }
        #expect(mistake(in: "frozen: 1") == message("'1'"))
        #expect(mistake(in: "frozen: \"true\"") == message("the text 'true'"))
        #expect(mistake(in: "frozen: ~") == message("nothing"))
        #expect(mistake(in: "frozen: []") == message("a list"))
    }

    @Test("Whole numbers have one way to be written", arguments: ["+1", "01", "1.0", "1e0", "0x1", "1_0", "-6", "-0"])
    func integers(text: String) {
        #expect(
            mistake(in: "offset: \(text)")
                == "nightly.yaml:1:63: dumps.a.offset: expected a whole number from -5 to 5, found '\(text)'")
    }

    @Test("Each kind of dump has its own keys, and an unknown kind is told all of them")
    func severalKinds() throws {
        let both = ProviderKinds(kinds.builtIn + [Sample.kind])
        #expect(mistake(in: "offset: -5") == "")
        #expect(
            mistake(in: "layout: cluster")
                == "nightly.yaml:1:55: unknown key 'layout' in dumps.a\n  hint: Known here: provider, frozen, path, offset."
        )
        #expect(
            mistakes(in: "{staging: /s, dumps: {a: {provider: x}}}", kinds: both)
                == "nightly.yaml:1:37: dumps.a.provider: unknown provider 'x'\n  hint: Known: postgresql, directory and sample."
        )
        #expect(
            mistakes(in: "{staging: /s, dumps: {a: {}}}", kinds: both) == """
                nightly.yaml:1:26: missing key 'provider' in dumps.a
                  hint: It says what to dump: postgresql, directory or sample.
                """)
    }

    @Test(
        "The nearest word is found by a slip of the finger, and not by chance",
        arguments: [
            ("lock_timout", "lock_timeout"), ("locktimeout", "lock_timeout"), ("LOCK-TIMEOUT", "lock_timeout"),
            ("lcok_timeout", "lock_timeout"), ("lyout", "layout"), ("postgres", nil), ("", nil), ("lay", nil),
            (String(repeating: "layout", count: 10_000), nil),
        ] as [(String, String?)])
    func nearest(text: String, word: String?) {
        #expect(nearestWord(to: text, among: ["layout", "lock_timeout", "deadline"]) == word)
    }
}
