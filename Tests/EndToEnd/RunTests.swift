import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@Suite("A whole run")
struct RunTests {
    @Test(
        "ends in an archive that plain borg, sha256sum, psql and pg_restore turn back into the same cluster",
        arguments: BorgUnderTest.allCases)
    func restoresWithoutMuster(version: BorgUnderTest) async throws {
        try await TestHost.with(version, hasRepository: false) { host in
            try await host.sql("CREATE ROLE reader IN ROLE clerk CONNECTION LIMIT 3", in: "postgres")
            let run = try await host.muster("run")
            try #require(run.status == .exited(0), "\(run.errors)")
            let archives = try await host.archiveNames()
            try #require(archives.count == 1)

            let restored = host.scratch.appending("restored")
            try FileSystem.createDirectory(restored, mode: 0o755)
            let extracted = try await host.borg("extract", "\(host.repository)::\(archives[0])", in: restored)
            #expect(extracted.status == .exited(0), "\(extracted.errors)")
            let sums = try await host.command(
                "/bin/sh", "-c", "cd \(restored) && sha256sum --quiet -c checksums/*.sha256")
            #expect(sums.status == .exited(0), "\(sums.output) \(sums.errors)")
            _ = try await host.command("/bin/chown", "-R", "postgres", restored.string)

            let elsewhere = host.scratch.appending("target")
            try FileSystem.createDirectory(elsewhere, mode: 0o755)
            try await PostgreSQLServer.with(in: elsewhere) { target in
                try await target.restore(restored.appending("app"), databases: ["shop", "library"])
                for database in ["shop", "library"] {
                    #expect(try await target.fingerprint(of: database) == host.server.fingerprint(of: database))
                }
                let roles = "SELECT rolname, rolconnlimit, rolcanlogin FROM pg_roles WHERE rolname !~ '^pg_' ORDER BY 1"
                #expect(try await target.psql(roles, in: "postgres") == host.server.psql(roles, in: "postgres"))
                let grants =
                    "SELECT relname, relacl FROM pg_class WHERE relacl IS NOT NULL AND relnamespace = 'public'::regnamespace"
                let granted = try await target.psql(grants, in: "shop")
                #expect(granted.contains("clerk=r"))
                #expect(try await granted == host.server.psql(grants, in: "shop"))
            }
        }
    }

    @Test("says in the manifest how many rows of which table are in the set")
    func rowCounts() async throws {
        try await TestHost.with { host in
            let run = try await host.muster("dump", "--json")
            try #require(run.status == .exited(0), "\(run.errors)")
            let manifest = try await host.command(
                "/usr/bin/python3", "-c",
                """
                import json, sys
                manifest = json.load(open(sys.argv[1]))
                for dump in manifest['dumps']:
                    for database in dump['databases']:
                        for table in database['tables']:
                            print(database['name'], table['schema'], table['name'], table['rows'])
                """, host.current.appending("manifest.json").string)
            #expect(
                manifest.output == """
                    library public books 300
                    shop public empty 0
                    shop public orders 1000

                    """)
        }
    }

    @Test("that finds nothing changed re-uses every data file, and Borg reads none of them")
    func unchanged() async throws {
        try await TestHost.with { host in
            let first = try await host.muster("run")
            try #require(first.status == .exited(0), "\(first.errors)")
            let inodes = try host.dataFiles()
            try #require(!inodes.isEmpty)
            let dump = try await host.muster("dump")
            try #require(dump.status == .exited(0), "\(dump.errors)")
            #expect(try host.dataFiles() == inodes)

            let trace = host.scratch.appending("trace")
            try host.fake("borg", "exec strace -f -A -e trace=open,openat,openat2 -o \(trace) /usr/bin/borg \"$@\"")
            let archive = try await host.muster("archive")
            #expect(archive.status == .exited(0), "\(archive.errors)")
            let opened = try read(trace)
            #expect(opened.contains("manifest.json"), "what is new is read")
            let data = inodes.map { FilePath(String($0.split(separator: " ")[0])) }
            #expect(!data.contains { opened.contains("\($0)\"") }, "a data file was opened")
        }
    }

    @Test("that only archives says that there is no set, and nothing of one that is intact")
    func nothingToArchive() async throws {
        try await TestHost.withFiles { host in
            let result = try await host.muster("archive")
            #expect(result.errors.contains("there is no set to archive in \(host.staging)"), "\(result.errors)")
            #expect(result.status != .exited(0) && !result.errors.contains("the set is intact"), "\(result.errors)")
        }
    }

    @Test("at the same time as another ends at once with 6 and says who holds the lock")
    func twoRuns() async throws {
        try await TestHost.with { host in
            let first = try host.start(["dump"], environment: ["MUSTER_STOP_AT": "prepared"])
            try #require(await first.stopped())
            let second = try await host.muster("run")
            #expect(second.status == .exited(6))
            #expect(second.errors.contains("pid \(first.pid)"), "\(second.errors)")
            let status = try await host.muster("status")
            #expect(status.output.contains("pid \(first.pid)"), "\(status.output)")
            first.send(SIGCONT)
            #expect(try await first.result().status == .exited(0))
        }
    }

    @Test("of a database with any name keeps it apart from every other")
    func names() async throws {
        let names = [
            "a/b", "a_b", "..", ".", "-x", "with space", "quo'te", "dou\"ble", "back\\slash", "a=b", "größe 数据库", "%2F",
            "*",
            String(repeating: "ü", count: 31) + "x",
        ]
        try await TestHost.with { host in
            for name in names {
                let quoted = name.replacing("\"", with: "\"\"")
                try await host.sql("CREATE DATABASE \"\(quoted)\"", in: "postgres")
                let literal = name.replacing("'", with: "''")
                try await host.sql("CREATE TABLE me AS SELECT '\(literal)'::text AS name", in: name)
            }
            let run = try await host.muster("dump")
            try #require(run.status == .exited(0), "\(run.errors)")
            let databases = host.current.appending("app/databases")
            for name in names {
                let found = try await host.command(
                    "/bin/sh", "-c", "grep -rlxF --include='[0-9]*.dat' -e \"$0\" \"$1\" | wc -l",
                    name.replacing("\\", with: "\\\\"), databases.string)
                #expect(found.output == "1\n", "exactly one file holds the row of '\(name)'")
            }
        }
    }
}

extension FilePath {
    /// A table's data in a dump in directory format; `toc.dat` holds the time of the dump and is another one each time.
    fileprivate var isTableData: Bool { self.extension == "dat" && lastComponent != "toc.dat" }
}

extension TestHost {
    /// Path and inode of every table's data in the current set.
    func dataFiles() throws -> [String] {
        try FileTree(current).entries().filter { $0.path.isTableData }.map { "\($0.path) \($0.status.inode)" }
    }
}

extension PostgreSQLServer {
    /// As the README says: roles first, then each database. Every error is a real one.
    fileprivate func restore(_ dump: FilePath, databases: [String]) async throws {
        let script = dump.appending("globals.sql")
        try await Self.run("psql", ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", connection, "-f", script.string])
        for database in databases {
            try await Self.run(
                "pg_restore",
                [
                    "--create", "--exit-on-error", "-d", "\(connection) dbname=postgres",
                    dump.appending("databases/\(database)").string,
                ])
        }
    }
}
