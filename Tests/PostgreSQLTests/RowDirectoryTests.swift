import DumpCore
import Testing

@testable import PostgreSQL

@Suite("The directory of a table's rows")
struct RowDirectoryTests {
    private func name(_ schema: String, _ table: String) -> String? {
        RowDirectory.name(of: TableName(schema: schema, name: table))?.string
    }

    @Test("has the table's name, and what no path can hold as digits")
    func names() {
        #expect(name("public", "orders") == "public.orders")
        #expect(name("public", "Orders") == "public.%4Frders")
        #expect(name("a b", "../x\n") == "a%20b.%2E%2E%2Fx%0A")
        #expect(name("public", "\u{E9}") == "public.%C3%A9")
    }

    @Test("is another one for each table, whatever case and spelling a file system knows, and fits into a path")
    func unique() {
        let long = String(repeating: "\u{F6}", count: 31)
        let tables = [
            ("a", "b.c"), ("a.b", "c"), ("a", "B.c"), ("A", "b.c"), ("a", "b%2Ec"), ("a", "\u{E9}"), ("a", "e\u{301}"),
            (long, long + "x"), (long, long + "y"), ("a", "b/c"), ("a", "b c"),
        ]
        let names = tables.compactMap { name($0.0, $0.1)?.lowercased() }
        #expect(Set(names).count == tables.count)
        #expect(names.allSatisfy { $0.utf8.count <= 200 })
    }
}
