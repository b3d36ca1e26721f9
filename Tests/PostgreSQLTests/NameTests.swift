import Conformance
import DumpCore
import Linux
import PostgreSQL
import SystemPackage
import TestSupport
import Testing

@Suite("Names of databases")
struct NameTests {
    static let names = [
        "a/b", "a_b", "..", ".", "-x", "--help", "two words", "it's", "say \"hi\"", "back\\slash", "a=b",
        "host=elsewhere",
        "postgresql://elsewhere/", "%2F", "*", "glob?", "$(touch x)", "Größe", "é", "e\u{301}", "名前", "\u{1F600}",
        String(repeating: "ä", count: 31) + "x",
    ]

    @Test("Each database is dumped to a directory of its own and no other is taken for it, whatever it is called")
    func databases() async throws {
        try await withNames { cluster in
            let directory = try cluster.newDirectory()
            let summary = try await TestRun().dump(cluster.provider { $0.exclude = ["postgres"] }, into: directory)
            #expect(summary.databases.count == Self.names.count + 1)
            for name in Self.names {
                let database = try #require(summary.databases.first { $0.name.utf8.elementsEqual(name.utf8) })
                #expect(database.path == "databases/\(escapedPathComponent(name))")
                #expect(
                    database.tables.map(\.withoutColumns) == [TableContents(schema: "public", name: "self", rows: 1)])
                let target = directory.appending(database.path)
                let data = try FileSystem.names(in: target).filter { $0 != "toc.dat" }
                #expect(try data.map { try read(target.appending($0)) } == [copied(name) + "\n\\.\n\n\n"])
            }
            #expect(Set(summary.databases.map(\.path)).count == summary.databases.count)
        }
    }

    @Test("One script holds them all, and each name can be excluded from it, and only that")
    func cluster() async throws {
        try await withNames { cluster in
            let provider = cluster.provider { $0.layout = .cluster }
            let directory = try cluster.newDirectory()
            let summary = try await TestRun().dump(provider, into: directory)
            #expect(summary.databases.count == Self.names.count + 2)
            let script = try read(directory.appending("all.sql"))
            for name in Self.names { #expect(script.contains("-- Database \"\(name)\" dump\n")) }

            let few = cluster.provider {
                $0.layout = .cluster
                $0.include = ["a_b", "?", "postgres"]
                $0.exclude = ["."]
            }
            let smaller = try cluster.newDirectory("smaller")
            let chosen = try await TestRun().dump(few, into: smaller).databases.map(\.name)
            #expect(chosen == ["*", "a_b", "postgres", "é", "\u{1F600}"])
            let headings = try read(smaller.appending("all.sql")).split(separator: "\n")
                .filter { $0.hasPrefix("-- Database \"") }
            #expect(headings.sorted() == chosen.map { "-- Database \"\($0)\" dump" }.sorted())
        }
    }

    @Test("A line break in one is no hindrance, but to pg_dumpall, of which check says so", arguments: ["\n", "\r"])
    func lineBreak(_ lineBreak: String) async throws {
        try await ClusterFixture.with { cluster in
            try await cluster.server.psql("create database \"line\(lineBreak)break\"")
            try await TestRun().dump(cluster.provider(), into: cluster.newDirectory())
            let prepared = try await cluster.provider { $0.layout = .cluster }.prepare(in: TestRun().context)
            let findings = prepared.findings.filter { $0.code == "name_with_line_break" }
            await prepared.close()
            #expect(findings.map(\.severity) == [.failure])
            #expect(findings.map(\.object) == ["line\(lineBreak)break"])
        }
    }

    /// A cluster with a database of each name, in which a table holds that name.
    private func withNames(_ body: (ClusterFixture) async throws -> Void) async throws {
        try await ClusterFixture.with { cluster in
            for name in Self.names {
                let quoted = name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
                try await cluster.server.psql("create database \"\(quoted)\"")
                try await cluster.server.psql(
                    "create table self (name text); insert into self select current_database()", in: name)
            }
            try await body(cluster)
        }
    }

    /// A text as COPY writes it.
    private func copied(_ text: String) -> String {
        text.split(separator: "\\", omittingEmptySubsequences: false).joined(separator: "\\\\")
    }
}
