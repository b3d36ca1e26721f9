import DumpCore
import SystemPackage
import Testing

@Suite("Names as path components")
struct PathEscapeTests {
    @Test(
        "A name is kept where it is harmless and spelled out where it is not",
        arguments: [
            ("shop", "shop"), ("Shop_2.old-x", "Shop_2.old-x"), ("a/b", "a%2Fb"), ("a_b", "a_b"), ("..", "%2E."),
            (".", "%2E"), (".hidden", "%2Ehidden"), ("-x", "%2Dx"), ("--", "%2D-"), ("", "%"), ("%", "%25"),
            ("%2F", "%252F"), ("a b", "a%20b"), ("it's", "it%27s"), ("say \"hi\"", "say%20%22hi%22"),
            ("Übung", "%C3%9Cbung"), ("\u{1}\n\0", "%01%0A%00"), ("~", "%7E"), ("a\\b", "a%5Cb"),
        ])
    func spelling(name: String, component: String) {
        #expect(escapedPathComponent(name).string == component)
        #expect(unescapedName(escapedPathComponent(name))?.utf8.elementsEqual(name.utf8) == true)
    }

    @Test("No two names share a component, and every component reads back as its name")
    func injective() {
        // Every sequence of up to three of the bytes that matter: kept, escaped, the escape's own, and parts of é.
        let alphabet: [UInt8] = [0x00, 0x20, 0x25, 0x2D, 0x2E, 0x2F, 0x32, 0x46, 0x61, 0x65, 0xC3, 0xA9]
        var names: [[UInt8]] = [[]]
        for length in 1...3 {
            names += names.filter { $0.count == length - 1 }.flatMap { name in alphabet.map { name + [$0] } }
        }
        var seen: [String: [UInt8]] = [:]
        for bytes in names {
            guard let name = String(validating: bytes, as: UTF8.self) else { continue }
            let component = escapedPathComponent(name)
            #expect(seen.updateValue(bytes, forKey: component.string) == nil)
            #expect(component.kind == .regular)
            #expect(!component.string.hasPrefix(".") && !component.string.hasPrefix("-"))
            #expect(unescapedName(component).map { Array($0.utf8) } == bytes)
        }
        #expect(seen.count > 1000)
    }

    @Test("Two names that Unicode takes for one have components of their own")
    func canonicallyEquivalentNames() {
        #expect("\u{E9}" == "e\u{301}")
        #expect(escapedPathComponent("\u{E9}") != escapedPathComponent("e\u{301}"))
    }

    @Test("A name of 63 bytes fits, whatever is in it, and leaves room for a suffix")
    func longestName() {
        #expect(escapedPathComponent(String(repeating: "/", count: 63)).string.utf8.count == 189)
    }

    @Test(
        "A component that is no escaped name stands for none",
        arguments: ["a%2", "a%", "%2f", "%zz", "%+1", "%41", ".", "..", ".x", "-x", "a b", "é", "%FF", "%C3"])
    func foreignComponent(component: String) throws {
        #expect(unescapedName(try #require(FilePath.Component(component))) == nil)
    }

    @Test("A component that is not UTF-8 stands for no name")
    func invalidUTF8() throws {
        let component = [CChar(bitPattern: 0xFF), 0].withUnsafeBufferPointer {
            FilePath.Component(platformString: $0.baseAddress!)
        }
        #expect(unescapedName(try #require(component)) == nil)
    }
}
