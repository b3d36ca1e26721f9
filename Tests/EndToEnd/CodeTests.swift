import Linux
import SystemPackage
import TestSupport
import Testing

/// Every stable word that Muster prints for scripts, as the sources write them:
///
/// - `case` of an enumeration whose name ends with `Code`,
/// - `rawValue: "…"` in an extension of `DumpError.Code`,
/// - a word in quotes before `, object:`, which is a finding's,
/// - what is called `code:`, `"code":`, `…Code =` or `codeName =`.
@Suite("The codes that Muster prints")
struct CodeTests {
    @Test("are in the table of docs/troubleshooting.md, all of them, once each and sorted, and no other is")
    func table() throws {
        let rows = try Row.all()
        let codes = try Sources.all().reduce(into: Set<String>()) { $0.formUnion($1.codes) }
        #expect(codes.count > 150, "the sources still write their codes as this test reads them")
        #expect(codes.subtracting(rows.map(\.code)).sorted() == [], "codes without a row")
        #expect(Set(rows.map(\.code)).subtracting(codes).sorted() == [], "rows of no code")
        #expect(rows.map(\.code) == Set(rows.map(\.code)).sorted())
    }

    @Test("say what is seen, why, and what to do, by a command or a setting")
    func rows() throws {
        for row in try Row.all() {
            #expect(row.cells.count == 4 && row.cells.allSatisfy { !$0.isEmpty }, "\(row)")
            #expect(row.cells.last?.contains("`") == true, "\(row)")
        }
    }

    @Test("of findings are written where they can be found, or handed on from there")
    func convention() throws {
        let handedOn: Set<String> = [
            "code", "$0.code", "error.code", "error.codeName", "omission.rawValue",
            "torn.flaw.code.rawValue",
            "Self.patternCode",
            "DumpError.Code.cannotPreserve.rawValue",
        ]
        for source in try Sources.all() {
            for call in source.text.matches(of: /\.(?:note|warning|failure),\s*([^\s,]+), object:/) {
                let code = call.output.1
                #expect(
                    code.hasPrefix("\"") || code.hasPrefix(".") || handedOn.contains(String(code)),
                    "\(source.path): \(code)")
            }
        }
    }
}

/// A row of the table between its two marks.
private struct Row {
    var code: String
    var cells: [String]

    static func all() throws -> [Row] {
        let page = try read(Repository.root.appending("docs/troubleshooting.md"))
        let table = try #require(
            page.firstMatch(of: /<!-- codes: [^\n]*-->\n(.*)<!-- \/codes -->/.dotMatchesNewlines()))
        return table.output.1.split(separator: "\n").filter { $0.hasPrefix("| `") }.map { line in
            let cells = line.dropFirst(2).dropLast(2).split(separator: " | ").map(String.init)
            return Row(code: String(cells[0].dropFirst().dropLast()), cells: cells)
        }
    }
}

struct Sources {
    var path: FilePath
    var text: String

    /// Every Swift file below Sources/.
    static func all() throws -> [Sources] { try below(Repository.root.appending("Sources")) }

    private static func below(_ directory: FilePath) throws -> [Sources] {
        try FileSystem.names(in: directory).flatMap { name in
            let path = directory.appending(name)
            if try FileSystem.status(of: path).kind == .directory { return try below(path) }
            return path.extension == "swift" ? [Sources(path: path, text: try read(path))] : []
        }
    }

    var codes: Set<String> { cases.union(literals) }

    private var cases: Set<String> {
        let enums = text.matches(of: /enum \w*Code: String.*?\n *\}\n/.dotMatchesNewlines())
        let found = enums.flatMap { $0.output.matches(of: /\n +case (\w+)(?: = "([a-z_]+)")?/) }
        return Set(found.map { String($0.output.2 ?? $0.output.1) })
    }

    private var literals: Set<String> {
        let written = [
            /(?:Self|Code)\(rawValue: "([a-z_]+)"\)/, /(?:codeName|Code) = "([a-z_]+)"/, /\bcode"?: "([a-z_]+)"/,
            /"([a-z]+(?:_[a-z]+)*)", object:/,
        ]
        return Set(written.flatMap { text.matches(of: $0).map { String($0.output.1) } })
    }
}
