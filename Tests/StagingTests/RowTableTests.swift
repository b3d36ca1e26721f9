import Checksums
import DumpCore
import Linux
import Staging
import SystemPackage
import TestSupport
import Testing

@Suite("A set with tables that are stored as rows")
struct RowTableTests {
    private static let table = "a\nc\nd\n\\.\n\n\n"
    private static let files: Files = [
        "db/rows/public.t/1.rows": "a\nb\nc\n\\.\n\n\n", "db/rows/public.t/2.lines": "2 1\n2 3\n",
        "db/rows/public.t/2.rows": "d\n\\.\n\n\n",
    ]

    @Test("is whole when each table put together is what its manifest says, and with the files of the tables too")
    func whole() async throws {
        try await withArea { area in
            try await take(area, sha256: try sha256(of: Array(Self.table.utf8)))
            let set = SetDirectory(area.current)
            #expect(try await set.verify().problems == [])
            let manifest = try await set.manifest()
            try await set.putTablesTogether(of: manifest)
            let file = area.current.appending("app/db/1.dat")
            #expect(try read(file) == Self.table)
            #expect(try await set.verify().problems == [])
            try write("a\n\\.\n\n\n", to: file)
            #expect(try await set.verify().problems.map(\.path) == ["app/db/1.dat"])
        }
    }

    @Test("is not whole when a table is another one once it is put together, although each file is what was sealed")
    func another() async throws {
        try await withArea { area in
            try await take(area, sha256: try sha256(of: Array("a\nd\nc\n\\.\n\n\n".utf8)))
            let set = SetDirectory(area.current)
            let report = try await set.verify()
            #expect(report.problems.map(\.path) == ["app/db/rows/public.t"])
            let error = await #expect(throws: StagingError.self) {
                try await set.putTablesTogether(of: report.manifest)
            }
            #expect(error?.code == .damagedSet)
        }
    }

    @Test(
        "is not whole when its rows do not follow from each other",
        arguments: [
            "1 9\n", "2 1\n2 2\n", "2 0\n", "x\n", "2 1\n2 3", "2 1\n2 3\n-1 0\n", "2 1\n2 3 \n", "2 1\n0 3\n",
            "2 1\n0 0 0 x\n2 3\n", "1 0 2 x\n1 1\n2 3\n", "1 0 0 x\n1 1\n2 3\n", "2 1\n2 3\n9999999999999999 1\n",
        ])
    func malformed(lines: String) async throws {
        try await withArea { area in
            var files = Self.files
            files["db/rows/public.t/2.lines"] = lines
            try await take(area, files, sha256: try sha256(of: Array(Self.table.utf8)))
            #expect(try await SetDirectory(area.current).verify().problems.map(\.path) == ["app/db/rows/public.t"])
        }
    }

    private func take(_ area: StagingArea, _ files: Files = files, sha256 digest: String) async throws {
        try await area.withIncoming { incoming in
            try fill(try await incoming.directory(forDump: "app"), files)
            var dump = FinishedDump.test("app")
            let rows = RowFiles(
                path: "rows/public.t", file: "1.dat", bytes: Int64(Self.table.utf8.count), sha256: digest,
                storedBytes: 30, dumpedSHA256: digest)
            dump.summary.databases = [
                DatabaseContents(
                    name: "db", path: "db",
                    tables: [TableContents(schema: "public", name: "t", rows: 3, rowFiles: rows)])
            ]
            _ = try await incoming.seal([dump], as: .test).publish()
        }
    }
}
