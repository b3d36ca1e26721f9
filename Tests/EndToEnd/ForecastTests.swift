import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@Suite("What lies ahead of a run")
struct ForecastTests {
    @Test("check shows each source with its server, client, role, last run and findings, and the space there is")
    func shown() async throws {
        try await TestHost.with { host in
            let first = try await host.muster("check")
            #expect(first.status == .exited(0), "\(first.errors)")
            let version = try await host.server.psql("show server_version").split(separator: " ")[0]
            for line in [
                "staging \(host.staging): ready", "dump app: ready, about ", "  server version    \(version)\n",
                "  in recovery       false\n", "  role              postgres\n", "  role lacks        nothing\n",
                "  client version    \(version)\n", "  last run          none yet\n", "  expected  ", "  free      ",
            ] {
                #expect(first.output.contains(line), "\(line) in \(first.output)")
            }
            #expect(!first.output.contains("lock_held") && !first.output.contains("transaction_open_long"))

            let run = try await host.muster("dump", "-v")
            try #require(run.status == .exited(0), "\(run.errors)")
            let examined = run.errors.split(separator: "\n").first { $0.contains("source examined") } ?? ""
            #expect(examined.contains("info: ") && examined.contains(" server_version=\(version)"), "\(run.errors)")
            #expect(run.errors.contains("space for the set expected="))
            let second = try await host.muster("check")
            #expect(second.output.contains(/last run +[0-9.]+ [KM]iB in [0-9]+\.[0-9] s, 20/), "\(second.output)")
            let quiet = try await host.muster("check", "--quiet")
            #expect(!quiet.output.contains("last run"))
            #expect(quiet.errors == "", "a finding is said once, in the result")
        }
    }

    @Test("check says of a server that does not answer that it is not reachable")
    func unreachable() async throws {
        try await TestHost.with { host in
            try await host.server.stop()
            let check = try await host.muster("check")
            #expect(check.status == .exited(3))
            #expect(check.output.contains("dump app: not reachable\n  failure: cannot connect to PostgreSQL: "))
            let json = try await host.examined("p['reachable'], [f['code'] for f in p['findings']]")
            #expect(json == "False ['source_unavailable']")
        }
    }

    @Test("check and the start of a run name the session that holds a table, and nobody once it is gone")
    func lockHolder() async throws {
        try await TestHost.with { host in
            host.job.dumpLines.append("    lock_timeout: 100ms")
            let found = "sorted(f['object'] for f in p['findings'] if f['code'] == 'lock_held')"
            try await host.whileLocking("orders", in: "shop") {
                let check = try await host.muster("check")
                #expect(check.status == .exited(0))
                #expect(
                    check.output.contains(
                        /warning: session [0-9]+ of role 'postgres' holds an ACCESS EXCLUSIVE lock on public.orders in database 'shop'/
                    ), "\(check.output)")
                #expect(try await host.examined(found) == "['shop.public.orders']")
                let run = try await host.muster("dump")
                #expect(run.status == .exited(3))
                #expect(
                    run.errors.contains(/warning: session [0-9]+ of role 'postgres' holds an ACCESS/), "\(run.errors)")
            }
            #expect(try await host.examined(found) == "[]")
        }
    }

    @Test("check --json has the facts, the last run and the space under stable names")
    func json() async throws {
        try await TestHost.with { host in
            let run = try await host.muster("dump")
            try #require(run.status == .exited(0), "\(run.errors)")
            let facts = try await host.examined("*sorted(p['facts'])")
            #expect(
                facts
                    == "client_directory client_version connection databases in_recovery psql_version role role_lacks server_version"
            )
            let bytes = try await host.command("/bin/sh", "-c", "cat \(host.current)/app/globals.sql | wc -c").output
            #expect(Int(bytes.split(separator: "\n").joined()) ?? 0 > 0)
            #expect(try await host.examined("*sorted(p['last_run'])") == "bytes duration_seconds ended_at run_id")
            let sizes = try await host.examined(
                "p['last_run']['bytes'] == d['parts'][0]['expected_bytes'] < d['parts'][0]['free_bytes']")
            #expect(sizes == "True")
        }
    }

    @Test("A dump that has shrunk to less than half is warned of; with anomalies: fail nothing is published")
    func shrunk() async throws {
        try await TestHost.with { host in
            try await host.sql("INSERT INTO orders SELECT n, 'more' FROM generate_series(1001, 50000) n", in: "shop")
            let first = try await host.muster("dump")
            try #require(first.status == .exited(0), "\(first.errors)")
            #expect(!first.errors.contains("size_shrank"))
            let set = try host.currentFingerprint()
            try await host.sql("TRUNCATE orders", in: "shop")

            host.job.lines = ["anomalies: fail"]
            let failed = try await host.muster("run", "--json")
            #expect(failed.status == .exited(3))
            #expect(failed.errors.contains("muster: dump 'app' has shrunk to "), "\(failed.errors)")
            #expect(failed.output.contains(#""code" : "size_shrank""#))
            #expect(try host.currentFingerprint() == set)
            #expect(try await host.archiveNames().isEmpty)
            #expect(try FileSystem.names(in: host.staging.appending("incoming")).isEmpty)

            host.job.lines = []
            let warned = try await host.muster("dump")
            #expect(warned.status == .exited(0))
            #expect(warned.errors.contains(" code=size_shrank "), "\(warned.errors)")
            #expect(try read(host.current.appending("manifest.json")).contains(#""code" : "size_shrank""#))
        }
    }

    @Test("--accept-sizes lets a dump that has shrunk pass once, and those after it")
    func accepted() async throws {
        try await TestHost.with { host in
            host.job.lines = ["anomalies: {action: fail, below_percent: 90}"]
            try await host.sql("INSERT INTO orders SELECT n, 'more' FROM generate_series(1001, 50000) n", in: "shop")
            #expect(try await host.muster("dump").status == .exited(0))
            try await host.sql("TRUNCATE orders", in: "shop")
            #expect(try await host.muster("dump").status == .exited(3))
            #expect(try await host.muster("dump", "--accept-sizes").status == .exited(0))
            #expect(try await host.muster("dump").status == .exited(0))
            let byHand = try await host.muster("dump", "--accept-sizes", "--into", host.scratch.appending("x").string)
            #expect(byHand.status == .exited(64))
        }
    }
}

extension TestHost {
    /// What Python prints of the values in `muster check --json`: `d` is the document, `p` the part of the dump.
    fileprivate func examined(_ values: String) async throws -> String {
        let document = try await muster("check", "--json").output
        let program =
            "import json, sys; d = json.loads(sys.argv[1]); p = [p for p in d['parts'] if p['kind'] == 'dump'][0]; print(\(values))"
        let printed = try await command("/usr/bin/python3", "-c", program, document)
        guard printed.status == .exited(0) else { throw HostError(description: printed.errors + document) }
        return String(printed.output.dropLast())
    }
}
