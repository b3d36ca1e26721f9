import DumpCore
import Testing

@testable import PostgreSQL

@Suite("What dumps are read for")
struct InspectorTests {
    @Test("Newlines are counted as one by one", arguments: [0, 1, 63, 64, 65, 255 * 64, 255 * 64 + 1, 300_000])
    func newlines(count: Int) {
        let bytes = (0..<count).map { _ in UInt8.random(in: 8...12) }
        let expected = bytes.count { $0 == UInt8(ascii: "\n") }
        bytes.withUnsafeBytes { #expect(countNewlines(in: $0) == expected) }
        let full = [UInt8](repeating: UInt8(ascii: "\n"), count: count)
        full.withUnsafeBytes { #expect(countNewlines(in: $0) == count) }
    }

    @Test(
        "The rows of a data file are its lines before the terminator, however it is cut into chunks",
        arguments: [
            ("\\.\n\n\n", 0), ("1\ta\n\\.\n\n\n", 1), ("\n\\.\n\n\n", 1), ("\n\n\n\n\\.\n\n\n", 4),
            ("a\n\\\\.\n\n\n\\.\n\n\n", 4), ("x\\ny\n\\N\n\\.\n\n\n", 2),
        ])
    func rows(text: String, rows: Int64) {
        for size in 1...8 { #expect(inspected(text, chunk: size) == rows) }
    }

    @Test(
        "A data file that is cut anywhere is not whole",
        arguments: ["\\.\n\n\n", "1\ta\n\\.\n\n\n", "a\n\\\\.\n\n\n\\.\n\n\n", "\n\n\n\\.\n\n\n"])
    func cut(text: String) {
        for count in 0..<text.utf8.count {
            #expect(inspected(String(text.utf8.prefix(count))!, chunk: 3) == nil, "\(count) bytes")
        }
        #expect(inspected(text + "\n", chunk: 3) == nil)
    }

    @Test("A row is long when it has more than eight mebibytes, wherever its pieces end", arguments: [1, 7, 100])
    func longRows(chunks: Int) {
        func inspected(_ pieces: [[UInt8]]) -> Bool {
            var inspector = CopyFileInspector()
            for piece in pieces { piece.withUnsafeBytes { inspector.take($0) } }
            return inspector.hasLongRows
        }
        let piece = [UInt8](repeating: 120, count: CopyFileInspector.longRow / chunks)
        let row = [[UInt8]](repeating: piece, count: chunks)
        #expect(!inspected([Array("a\nb".utf8)] + row.dropFirst() + [Array("\nc\n\\.\n\n\n".utf8)]))
        #expect(inspected([Array("a\nb".utf8)] + row + row + [Array("\nc\n\\.\n\n\n".utf8)]))
    }

    @Test("A script is whole when it ends as pg_dumpall ends it, old releases and new")
    func script() {
        let old = "SET x;\n--\n-- PostgreSQL database cluster dump complete\n--\n\n"
        let new = "SET x;\n\\unrestrict abc\n\n" + old.dropFirst(7)
        for text in [old, new, old.replacingLast("\n--\n\n", "\n--\n\n\\unrestrict abc\n\n")] {
            for size in [1, 7, 1000] { #expect(script(text, chunk: size).isComplete) }
        }
        for count in 0..<(old.utf8.count - 5) {
            #expect(!script(String(old.utf8.prefix(count))!, chunk: 11).isComplete, "\(count) bytes")
        }
        #expect(!script(old + "CREATE TABLE late ();\n", chunk: 64).isComplete)
        #expect(!script(old.replacingLast("-- P", "--  P"), chunk: 64).isComplete)
    }

    @Test("A script is restricted by a line before its databases, not by one in what they hold")
    func restricted() {
        let heading = "-- Database \"a\" dump\n"
        for size in [1, 9, 500] {
            #expect(script("--\n\n\\restrict abc\n\n\(heading)", chunk: size).isRestricted)
            #expect(!script("--\n\n\(heading)COPY t FROM stdin;\n\\restrict abc\n\\.\n", chunk: size).isRestricted)
        }
    }

    @Test("A database without heading or end is missing from a script")
    func missingDatabase() {
        let one = "-- Database \"a \"b\" dump\nx\n-- PostgreSQL database dump complete\n"
        let two = "-- Database \"é\" dump\nx\n-- PostgreSQL database dump complete\n"
        for size in [1, 5, 500] {
            #expect(script(one + two, chunk: size).missing(from: ["a \"b", "é"]) == [])
            #expect(script(one, chunk: size).missing(from: ["a \"b", "é"]) == ["é"])
            #expect(script(one + two, chunk: size).missing(from: ["e\u{301}"]) == ["e\u{301}"])
            #expect(script(one + two.dropLast(12), chunk: size).missing(from: ["a \"b", "é"]) == ["a \"b", "é"])
        }
    }

    @Test(
        "A glob matches whole names, by scalars",
        arguments: [
            ("*", "", true), ("*", "a/b", true), ("a*", "ab", true), ("a*", "ba", false), ("*a*b*", "xaxxbx", true),
            ("*ab", "aab", true), ("a?", "a", false), ("a?", "aé", true), ("?", "e\u{301}", false),
            ("é", "e\u{301}", false),
            ("a.c", "abc", false), ("[a]", "a", false), ("**", "x", true), ("a", "A", false),
        ])
    func glob(pattern: String, name: String, matches: Bool) {
        #expect(Glob(pattern).matches(name) == matches)
    }

    @Test("A password is escaped for a passfile, and one of two lines is refused")
    func passfile() throws {
        #expect(try Passfile.text(for: Secret("a:b\\c\"'")).reveal() == "*:*:*:*:a\\:b\\\\c\"'\n")
        #expect(throws: DumpError.self) { try Passfile.text(for: Secret("a\nb")) }
    }

    @Test("Client versions are read and compared as numbers")
    func versions() {
        let texts = [
            "pg_dump (PostgreSQL) 9.6.24", "pg_dump (PostgreSQL) 15.9",
            "pg_dump (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)",
            "pg_dump (PostgreSQL) 19beta2",
        ]
        let versions = texts.compactMap { Client.Version(versionLine: $0) }
        #expect(versions.map(\.description) == ["9.6.24", "15.9", "15.20", "19beta2"])
        #expect(versions.map(\.major) == [9, 15, 15, 19])
        #expect(versions.sorted() == versions)
        for text in ["", "pg_dump", "pg_dump (PostgreSQL)", "pg_dump (PostgreSQL) devel"] {
            #expect(Client.Version(versionLine: text) == nil)
        }
    }

    private func inspected(_ text: String, chunk: Int) -> Int64? {
        var inspector = CopyFileInspector()
        feed(text, chunk) { inspector.take($0) }
        return inspector.rows
    }

    private func script(_ text: String, chunk: Int) -> ScriptInspector {
        var inspector = ScriptInspector()
        feed(text, chunk) { inspector.take($0) }
        return inspector
    }

    private func feed(_ text: String, _ size: Int, _ take: (UnsafeRawBufferPointer) -> Void) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            bytes.prefix(size).withUnsafeBytes { take($0) }
            bytes = bytes.dropFirst(size)
        }
    }
}

extension String {
    fileprivate func replacingLast(_ old: String, _ new: String) -> String {
        guard let range = ranges(of: old).last else { return self }
        return self[..<range.lowerBound] + new + self[range.upperBound...]
    }
}
