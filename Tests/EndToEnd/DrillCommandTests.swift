import Linux
import SystemPackage
import TestSupport
import Testing

@Suite("A drill of a job")
struct DrillCommandTests {
    @Test("proves the newest archive, which list and status then say, and leaves nothing")
    func proven() async throws {
        try await TestHost.with { host in
            host.job.dumpsInitialDatabases = true
            host.job.lines += [
                "drill:", "  assert: [{database: shop, sql: 'select count(*) from orders', expect: '1000'}]",
                "  fresh: {database: shop, sql: 'select now()', max_age: 1h}", "  amcheck: true",
            ]
            try await host.mustSucceed("run")
            let before = try await host.databases()
            let told = try await host.mustSucceed("drill")
            #expect(told.hasPrefix("PROVEN: archive "), "\(told)")
            #expect(try await host.mustSucceed("list").contains("proven 20"))
            #expect(try await host.mustSucceed("status").contains("last drill "))
            let listed = try await host.mustSucceed("list", "--json")
            #expect(
                try await host.value("d['repositories'][0]['archives'][0]['drill']['outcome']", of: listed) == "proven")
            let status = try await host.mustSucceed("status", "--json")
            #expect(
                try await host.value(
                    "d['last_drill']['outcome'], d['job'], sorted(i['item'] for i in d['last_drill']['dumps'][0]['outcome']['items'])",
                    of: status)
                    == "('proven', 'nightly', ['globals', 'library', 'postgres', 'shop', 'template1'])")
            #expect(try await host.databases() == before)
            #expect(try host.leftovers().isEmpty)
        }
    }

    @Test("of a dump that passes every check and cannot be restored fails with 7, and names the function")
    func unrestorable() async throws {
        try await TestHost.with { host in
            try await host.sql(
                """
                CREATE TABLE t (id int PRIMARY KEY);
                CREATE FUNCTION is_there(int) RETURNS bool LANGUAGE plpgsql IMMUTABLE
                    AS 'begin return exists (select 1 from t where id = $1); end';
                CREATE TABLE c (id int CHECK (is_there(id)));
                INSERT INTO t VALUES (1);
                INSERT INTO c VALUES (1)
                """, in: "shop")
            try await host.mustSucceed("run")
            let result = try await host.muster("drill")
            #expect(result.status == .exited(7))
            #expect(
                result.output.hasPrefix("FAILED: archive ") && result.output.contains("is_there"), "\(result.output)")
            #expect(try await host.mustSucceed("list").contains("FAILED 20"))
            #expect(try await host.mustSucceed("status").contains("FAILED: "))
        }
    }

    @Test("whose question gets another answer fails, and shows both")
    func wrongAnswer() async throws {
        try await TestHost.with { host in
            host.job.lines += [
                "drill:", "  assert: [{database: shop, sql: 'select count(*) from orders', expect: '7'}]",
            ]
            try await host.mustSucceed("run")
            let result = try await host.muster("drill")
            #expect(result.status == .exited(7))
            #expect(result.output.contains("7") && result.output.contains("1000"), "\(result.output)")
            host.job.lines[host.job.lines.count - 1] =
                "  assert: [{database: shpo, sql: 'select 1', expect: '1'}]"
            let stranger = try await host.muster("drill")
            #expect(stranger.status == .exited(7))
            #expect(
                stranger.errors.contains("drill: asks database 'shpo', which no dump of archive "), "\(stranger.errors)"
            )
        }
    }

    @Test("in parts proves what was proven longest ago, until all of it was")
    func sampled() async throws {
        try await TestHost.with { host in
            host.job.dumpsInitialDatabases = true
            try await host.mustSucceed("run")
            var proven: Set<String> = []
            for _ in 1...2 {
                let document = try await host.mustSucceed("drill", "--sample", "2", "--json")
                #expect(try await host.value("d['outcome']", of: document) == "sampled")
                let items = try await host.value(
                    "' '.join(i['item'] for x in d['dumps'] for i in x['outcome']['items'] if i['item'] != 'globals')",
                    of: document)
                proven.formUnion(items.split(separator: " ").map(String.init))
            }
            #expect(proven == ["library", "postgres", "shop", "template1"])
        }
    }

    @Test("in parts takes some subtrees of a directory each time, until all was proven, and fetches no others")
    func slices() async throws {
        try await TestHost.withFiles { host in
            for number in 1...5 {
                let drawer = host.source.appending("drawer-\(number)")
                try FileSystem.createDirectory(drawer)
                for file in 1...3 { try write("\(file)\n", to: drawer.appending("file-\(file)")) }
            }
            try await host.mustSucceed("run")
            var proven: Set<String> = []
            var files = 0
            for _ in 1...3 {
                let document = try await host.mustSucceed("drill", "--sample", "3", "--json")
                #expect(try await host.value("d['outcome']", of: document) == "sampled")
                let sample = try await host.value("' '.join(d['dumps'][0]['sample'])", of: document)
                proven.formUnion(sample.split(separator: " ").map(String.init))
                files += Int(try await host.value("d['fetched']['files']", of: document)) ?? 0
            }
            #expect(proven == Set(["letter", "drawer"] + (1...5).map { "drawer-\($0)" }), "\(proven)")
            #expect(files >= 17 && files < 34, "\(files)")
        }
    }

    @Test("of one script for all databases runs it to its end, and a restore names the command instead")
    func script() async throws {
        try await TestHost.with { host in
            host.job.dumpLines += ["    layout: cluster"]
            host.job.lines += [
                "drill:", "  assert: [{database: shop, sql: 'select count(*) from orders', expect: '1000'}]",
            ]
            try await host.mustSucceed("run")
            let told = try await host.mustSucceed("drill")
            #expect(told.hasPrefix("PROVEN: ") && told.contains("not compared"), "\(told)")
            let refused = try await host.muster("restore", "latest", "--to", host.server.connection)
            #expect(refused.status == .exited(7), "\(refused.output)")
            #expect(refused.errors.contains("run: psql -X -v ON_ERROR_STOP=1 -d postgres -f app/"), "\(refused.errors)")
            try await host.sql(
                "CREATE FUNCTION f() RETURNS bool LANGUAGE plpgsql IMMUTABLE AS 'begin return exists (select from t); end'",
                in: "shop")
            try await host.sql(
                "CREATE TABLE t (id int); CREATE TABLE c (id int CHECK (f())); INSERT INTO t VALUES (1); INSERT INTO c VALUES (1)",
                in: "shop")
            try await host.mustSucceed("run")
            let failed = try await host.muster("drill")
            #expect(failed.status == .exited(7) && failed.output.contains("psql of "), "\(failed.output)")
            #expect(failed.output.contains("relation \"t\" does not exist"), "\(failed.output)")
            #expect(try host.leftovers().isEmpty)
        }
    }

    @Test("keeps its result where it is told, and list and status look there")
    func state() async throws {
        try await TestHost.withFiles { host in
            try await host.mustSucceed("run")
            let place = host.scratch.appending("elsewhere").string
            try await host.mustSucceed("drill", "--state", place)
            #expect(try await host.mustSucceed("list", "--state", place).contains("proven 20"))
            #expect(try await host.mustSucceed("status", "--state", place).contains("last drill "))
            #expect(try await !host.mustSucceed("list").contains("proven"))
            #expect(try await !host.mustSucceed("status").contains("drill"))
        }
    }

    @Test("takes the repositories in turn")
    func rotation() async throws {
        try await TestHost.withFiles { host in
            _ = host.addSecondRepository()
            try await host.mustSucceed("run")
            var repositories: [String] = []
            for _ in 1...3 {
                let document = try await host.mustSucceed("drill", "--json")
                repositories.append(try await host.value("d['origin']['repository'], d['outcome']", of: document))
            }
            #expect(
                repositories == ["('local', 'proven')", "('second', 'proven')", "('local', 'proven')"])
        }
    }

    @Test("opens psql on one database of an archive, and ends with its status")
    func psql() async throws {
        try await TestHost.with { host in
            try await host.mustSucceed("run")
            try await host.sql("DELETE FROM orders", in: "shop")
            let result = try await host.shell(
                "$MUSTER psql latest shop --config $JOB -- -XAtc 'select count(*) from orders'; echo $?; "
                    + "$MUSTER psql latest shop --config $JOB -- -XAtc 'select no'; echo $?")
            #expect(result.output == "1000\n0\n1\n", "\(result.errors)")
        }
    }
}
