import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@Suite("The difference of two archives")
struct DiffTests {
    @Test("names databases, tables and files, with their rows before and after", arguments: BorgUnderTest.allCases)
    func changes(version: BorgUnderTest) async throws {
        try await TestHost.with(version) { host in
            try await host.mustSucceed("run")
            let before = try await host.newestArchive()
            try await host.sql("INSERT INTO orders SELECT n, 'new' FROM generate_series(1001, 1200) n", in: "shop")
            try await host.sql("DROP TABLE empty;\nCREATE TABLE fresh AS SELECT 1 AS id", in: "shop")
            try await host.sql("CREATE DATABASE archive;\nDROP DATABASE library", in: "postgres")
            try await host.mustSucceed("run")
            let after = try await host.newestArchive()

            let text = try await host.mustSucceed("diff", before, "latest")
            for line in [
                "from \(before) in local: run ", "to \(after) in local: run ", "dump app: changed, ",
                "\n  archive: new, 0 rows\n", "\n  library: gone, 300 rows\n", "\n  shop: changed, 1000 → 1201 rows, ",
                "\n    public.empty: gone, 0 rows\n", "\n    public.fresh: new, 1 rows\n",
                "\n    public.orders: 1000 → 1200 rows\n", "\n  changed app/databases/shop/toc.dat\n",
            ] {
                #expect(text.contains(line), "\(line) in \(text)")
            }
            let document = try await host.mustSucceed("diff", before, after, "--json")
            #expect(
                try await host.value(
                    "[[x['name'], x['change'], x.get('rows_before'), x.get('rows_after')] for x in d['dumps'][0]['databases'] if x['name'] not in ('postgres', 'template1')]",
                    of: document)
                    == "[['archive', 'added', None, 0], ['library', 'removed', 300, None], ['shop', 'changed', 1000, 1201]]"
            )
            let same = try await host.mustSucceed("diff", after, after)
            #expect(same.contains("dump app: same, "), "\(same)")
        }
    }
}
