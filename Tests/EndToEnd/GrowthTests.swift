import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@Suite("A dump that grows by what changes")
struct GrowthTests {
    @Test("comes back whole by its script, by every command, and by plain pg_restore, and is plain again when told so")
    func days() async throws {
        try await TestHost.with { host in
            try await host.prepareGrowth()
            try await host.mustSucceed("run")
            let base = try host.rowFiles()
            #expect(base.count == 1 && base.keys.allSatisfy { $0.hasSuffix(".rows") })
            #expect(try host.tableFiles(holding: "word").isEmpty, "the table is no file of its own")
            #expect(try read(host.current.appending("manifest.json")).contains("\"format_version\" : 2"))
            try await host.mustSucceed("verify")
            #expect(try await host.mustSucceed("status").contains("\n  app: new bases of its tables will store 1."))

            try await host.sql(
                "UPDATE big SET note = 'changed' WHERE id % 100 = 7;\nDELETE FROM big WHERE id % 1000 = 3", in: "shop")
            try await host.sql("CREATE FUNCTION moves_numbers() RETURNS int LANGUAGE sql AS 'SELECT 1'", in: "shop")
            try await host.sql("INSERT INTO big SELECT n, 'new ' || n FROM generate_series(40001, 40200) n", in: "shop")
            let told = try await host.mustSucceed("run")
            let second = try host.rowFiles()
            #expect(second.count == 3 && base.allSatisfy { second[$0.key] == $0.value }, "the base keeps its inode")
            #expect(!told.contains("shrunk"), "sizes are those of whole tables")
            try await host.mustSucceed("run")
            #expect(try host.rowFiles() == second, "nothing has changed")
            let shop = try await host.server.fingerprint(of: "shop")

            let set = host.scratch.appending("set")
            try await host.mustSucceed("extract", "latest", "--into", set.string)
            try await host.mustSucceed("verify", "--set", set.string)
            let database = set.appending("app/databases/shop")
            let file = try #require(try host.tableFiles(holding: "word", in: database).first)
            let putTogether = try read(file)
            try FileSystem.removeFile(file)
            try await host.mustSucceed("verify", "--set", set.string)
            for awk in ["mawk", "gawk", "busybox"] {
                try await host.runScript(of: database, awk)
                #expect(try read(file) == putTogether, "\(awk)")
            }
            try await host.mustSucceed("verify", "--set", set.string)
            try await host.restore(database, as: "plain")
            #expect(try await host.server.fingerprint(of: "plain") == shop)

            let restored = try await host.mustSucceed(
                "restore", "latest", "--database", "shop", "--to", host.server.connection)
            let name = try #require(restored.firstMatch(of: /shop is in (shop_restored_[0-9TZ]+); equal/)?.output.1)
            #expect(try await host.server.fingerprint(of: String(name)) == shop)
            let table = try await host.mustSucceed(
                "restore", "latest", "--database", "shop", "--table", "public.big", "--to", host.server.connection,
                "--json")
            #expect(try await host.value("d['fetched']['files']", of: table) == "4", "a table of contents and the rows")
            #expect(try await host.mustSucceed("drill").hasPrefix("PROVEN: archive "))
            let names = try await host.archiveNames()
            let difference = try await host.mustSucceed("diff", names[0], "latest")
            #expect(difference.contains("public.big: 20000 → 20180 rows"), "\(difference)")
            #expect(!difference.contains(".rows"), "\(difference)")

            host.job.dumpLines.removeLast()
            try await host.mustSucceed("dump")
            #expect(try host.rowFiles().isEmpty)
            #expect(try host.tableFiles(holding: "word").count == 1)
            #expect(try read(host.current.appending("manifest.json")).contains("\"format_version\" : 1"))
            try await host.mustSucceed("verify")
        }
    }

    @Test(
        "never builds on what is not what was sealed, or is not there",
        arguments: [
            ("base", "changed"), ("base", "removed"), ("rows", "changed"), ("lines", "changed"), ("lines", "removed"),
        ])
    func damaged(file: String, how: String) async throws {
        try await TestHost.with { host in
            try await host.prepareGrowth()
            try await host.mustSucceed("dump")
            try await host.sql("UPDATE big SET note = 'changed' WHERE id % 100 = 7", in: "shop")
            try await host.mustSucceed("dump")
            let files = try host.rowFiles().keys.sorted()
            let path = host.current.appending(
                files[file == "base" ? 0 : files.lastIndex { $0.hasSuffix(".\(file)") }!])
            try host.damage(path, how)
            #expect(try await host.muster("verify").status == .exited(5))
            try await host.sql("UPDATE big SET note = 'again' WHERE id % 100 = 8", in: "shop")
            let healed = try await host.muster("dump")
            #expect(healed.status == .exited(0), "\(healed.errors)")
            #expect(try host.rowFiles().count == 1, "a new base")
            let name = "app/databases/shop/rows/public.big/\(path.lastComponent!)"
            let told = "\(name) in the last set is damaged or missing; the new set does not use it"
            #expect((healed.output + healed.errors).contains(told), "\(healed)")
            #expect(healed.output.hasPrefix("WARNING nightly: "), "\(healed)")
            #expect(try await host.muster("status").output.contains(told))
            try await host.mustSucceed("verify")
            try await host.requireSameRows()
        }
    }

    @Test(
        "that is killed leaves the last set, and the next one is whole",
        arguments: ["rows.linked", "rows.matched", "rows.lines", "rows.written", "rows.proven", "rows.base"])
    func killed(at point: String) async throws {
        try await TestHost.with { host in
            try await host.prepareGrowth()
            if point != "rows.base" { try await host.mustSucceed("dump") }
            try await host.sql("UPDATE big SET note = 'changed' WHERE id % 100 = 7", in: "shop")
            let dump = try host.start(["dump"], environment: ["MUSTER_STOP_AT": point])
            try #require(await dump.stopped(), "it passes '\(point)'")
            dump.send(SIGKILL)
            _ = try await dump.result()
            if point != "rows.base" { try await host.mustSucceed("verify") }
            try await host.mustSucceed("dump")
            #expect(try FileSystem.names(in: host.staging.appending("incoming")).isEmpty)
            try await host.mustSucceed("verify")
            try await host.requireSameRows()
        }
    }

    @Test("has a script that fails, and says what is wrong, where anything in it is missing or changed")
    func brokenScript() async throws {
        try await TestHost.with { host in
            try await host.prepareGrowth()
            try await host.sql("CREATE TABLE other AS SELECT id, 'other ' || note AS note FROM big", in: "shop")
            try await host.mustSucceed("dump")
            try await host.sql("UPDATE big SET note = 'changed' WHERE id % 100 = 7", in: "shop")
            try await host.mustSucceed("dump")
            let faults = [
                ("sed -i 1d rows/tables", "do not name the same files"),
                ("sed -i '$d' rows/sha256", "do not name the same files"),
                (": >rows/tables; : >rows/sha256", "do not name the same files"),
                ("rm rows/public.big/*.lines", "is not what was sealed"),
                ("rm rows/public.other/*.rows", "rows/public.other/*.rows"),
                ("sed -i '1s/^./x/' rows/public.other/*.rows", "is not what was sealed"),
            ]
            for (number, (fault, message)) in faults.enumerated() {
                let copy = host.scratch.appending("copy-\(number)")
                let result = try await host.shell(
                    "cp -r \(host.shop) \(copy) && cd \(copy) && \(fault) && sh ./rows.sh")
                #expect(result.status != .exited(0) && result.errors.contains(message), "\(fault): \(result.errors)")
            }
            // Another directory of the name is no other place to look for it.
            let other = host.scratch.appending("other")
            let whole = try await host.shell(
                "mkdir -p \(other)/app/databases/shop && cd \(host.current) && CDPATH=\(other) sh app/databases/shop/rows.sh"
            )
            #expect(whole.status == .exited(0) && whole.output.ranges(of: ": OK\n").count == 2, "\(whole.errors)")
        }
    }

    @Test(
        "has a script that leaves no table that is not whole, also of an earlier time: pg_restore would take it",
        arguments: [
            ("sed -i '1s/^./x/' rows/public.other/*.rows", 1), ("rm rows/public.other/*.rows", 1), ("ulimit -f 100", 0),
        ])
    func partial(fault: String, whole: Int) async throws {
        try await TestHost.with { host in
            try await host.prepareGrowth()
            try await host.sql("CREATE TABLE other AS SELECT id, 'other ' || note AS note FROM big", in: "shop")
            try await host.mustSucceed("dump")
            let copy = host.scratch.appending("copy")
            let before = try FileSystem.names(in: host.shop)
            let result = try await host.shell(
                "cp -r \(host.shop) \(copy) && cd \(copy) && sh ./rows.sh && \(fault) && sh ./rows.sh")
            #expect(result.status == .exited(1) && result.errors.contains("do not restore this database"), "\(result)")
            #expect(try FileSystem.names(in: copy).count == before.count + whole)
            let rows = try FileSystem.names(in: copy.appending("rows")).map(\.string)
            #expect(rows.sorted() == ["public.big", "public.other", "sha256", "tables"])
        }
    }

    @Test("takes no digest from a manifest that was changed into the next set")
    func changedManifest() async throws {
        try await TestHost.with { host in
            try await host.prepareGrowth()
            try await host.mustSucceed("dump")
            let before = try host.rowFiles()
            let manifest = host.current.appending("manifest.json")
            let changed = try read(manifest).replacing(/("row_files" : \{[^}]*"sha256" : ")(.)/) { found in
                found.output.1 + (found.output.2 == "0" ? "1" : "0")
            }
            try write(changed, to: manifest)
            // In one second a new base would have the old one's name, and be linked to it.
            let second = time(nil)
            try await eventually { time(nil) > second }
            let healed = try await host.muster("dump")
            #expect((healed.output + healed.errors).contains("manifest.json in the last set is damaged"), "\(healed)")
            try await host.mustSucceed("verify")
            #expect(try host.rowFiles() != before, "a new base")
            try await host.requireSameRows()
        }
    }

    @Test("keeps tables that are shown alike as files, in a database without an encoding")
    func shownAlike() async throws {
        try await TestHost.with { host in
            try await host.prepareGrowth()
            try await host.server.psql(
                "CREATE DATABASE ascii TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'")
            try await host.sql(
                """
                DO $$ BEGIN EXECUTE format('CREATE TABLE %I (note text)', convert_from('\\x61fffe'::bytea, 'SQL_ASCII')); END $$;
                CREATE TABLE "a\\xFF\\xFE" AS SELECT repeat('word ', 12) || n AS note FROM generate_series(1, 20000) n
                """, in: "ascii")
            for _ in 1...2 {
                try await host.mustSucceed("dump")
                try await host.mustSucceed("verify")
                #expect(try host.rowFiles().keys.allSatisfy { $0.contains("/shop/") })
            }
        }
    }

    @Test("is refused as one script of the whole cluster, and a dump by hand is plain")
    func refusals() async throws {
        try await TestHost.with { host in
            try await host.prepareGrowth()
            let target = host.scratch.appending("by-hand")
            try await host.mustSucceed("dump", "--into", target.string)
            #expect(try FileTree(target).entries().allSatisfy { !$0.path.string.contains("/rows") })
            #expect(try await host.mustSucceed("check").contains("rows that are deleted stay in new archives"))
            host.job.dumpLines.append("    layout: cluster")
            let refused = try await host.muster("dump")
            #expect(refused.status == .exited(78) && refused.errors.contains("layout: cluster"), "\(refused.errors)")
        }
    }
}

extension TestHost {
    /// A large table whose rows are kept apart from its file.
    fileprivate mutating func prepareGrowth() async throws {
        try await sql(
            """
            CREATE TABLE big (id int PRIMARY KEY, note text);
            INSERT INTO big SELECT n, repeat('word ', 12) || n FROM generate_series(1, 20000) n
            """, in: "shop")
        job.dumpLines.append("    growth: delta")
    }

    fileprivate var shop: FilePath { current.appending("app/databases/shop") }

    /// The inodes of all files of rows, by their paths in the set.
    fileprivate func rowFiles() throws -> [String: UInt64] {
        let all = try FileTree(current).entries().filter { entry in
            [".rows", ".lines"].contains { entry.path.string.hasSuffix($0) }
        }
        return Dictionary(uniqueKeysWithValues: all.map { ($0.path.string, $0.status.inode) })
    }

    /// Those that pg_dump has made, or would have.
    fileprivate func tableFiles(holding word: String, in directory: FilePath? = nil) throws -> [FilePath] {
        let directory = directory ?? shop
        return try FileSystem.names(in: directory).filter { $0.string.hasSuffix(".dat") && $0.string != "toc.dat" }
            .map { directory.appending($0) }.filter { try read($0).contains(word) }
    }

    fileprivate func damage(_ path: FilePath, _ how: String) throws {
        guard how == "changed" else { return try FileSystem.removeFile(path) }
        let file = try FileDescriptor.open(path, .readWrite)
        try file.closeAfter {
            var byte = [UInt8](repeating: 0, count: 1)
            _ = try byte.withUnsafeMutableBytes { try file.read(fromAbsoluteOffset: 3, into: $0) }
            _ = try file.writeAll(toAbsoluteOffset: 3, [byte[0] ^ 1])
        }
    }

    /// Puts tables together as those do who have no Muster.
    fileprivate func runScript(of directory: FilePath, _ awk: String) async throws {
        let tools = scratch.appending("tools-\(awk)")
        try FileSystem.createDirectory(tools, mode: 0o755)
        try write(
            "#!/bin/sh\nexec \(awk == "busybox" ? "busybox awk" : awk) \"$@\"\n", to: tools.appending("awk"),
            mode: FilePermissions(rawValue: 0o755))
        let result = try await command(
            "/usr/bin/env", "PATH=\(tools):/usr/bin:/bin", "dash", directory.appending("rows.sh").string)
        try #require(result.status == .exited(0), "\(awk): \(result.errors)")
    }

    fileprivate func restore(_ directory: FilePath, as name: String) async throws {
        let readable = scratch.appending("readable-\(name)")
        let copied = try await shell(
            "cp -r \(directory) \(readable) && chown -R \(PostgreSQLServer.user) \(readable)")
        try #require(copied.status == .exited(0), "\(copied.errors)")
        try await server.psql("CREATE DATABASE \(name)")
        try await PostgreSQLServer.run(
            "pg_restore", ["--exit-on-error", "-d", "host='\(server.directory)' dbname=\(name)", readable.string])
    }

    /// Restores the current set by its script, and compares.
    fileprivate func requireSameRows() async throws {
        let copy = scratch.appending("copy")
        let copied = try await command("/bin/cp", "-r", shop.string, copy.string)
        try #require(copied.status == .exited(0), "\(copied.errors)")
        try await runScript(of: copy, "mawk")
        try await restore(copy, as: "compared")
        #expect(try await server.fingerprint(of: "compared") == server.fingerprint(of: "shop"))
    }
}
