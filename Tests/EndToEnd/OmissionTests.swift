import Glibc
import TestSupport
import Testing

@Suite("What a dump leaves out")
struct OmissionTests {
    @Test("is shown by check apart from findings, and is on record in manifest and report")
    func shown() async throws {
        try await TestHost.with { host in
            try await host.sql("CREATE SEQUENCE counter", in: "shop")
            let check = try await host.muster("check")
            #expect(check.status == .exited(0), "\(check.errors)")
            let lines = check.output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
            let heading = try #require(lines.firstIndex(of: "  not in dump app:"))
            let sequences =
                "1 sequence of database 'shop' dumped with later values than its tables: no snapshot holds them"
            #expect(
                lines[(heading + 1)...].contains(
                    "    note: \(sequences) [sequences_outside_snapshot] — One that advanced skips numbers. "
                        + "The dump reports one that was set back."))

            let run = try await host.muster("dump", "--json")
            try #require(run.status == .exited(0), "\(run.errors)")
            try write(run.output, to: host.scratch.appending("report.json"))
            try write(try await host.muster("check", "--json").output, to: host.scratch.appending("check.json"))
            let omissions = try await host.command(
                "/usr/bin/python3", "-c",
                """
                import json, sys
                check, report, manifest = (json.load(open(path)) for path in sys.argv[1:])
                dump = next(part for part in check['parts'] if part['kind'] == 'dump')
                assert not any(finding['code'] == 'sequences_outside_snapshot' for finding in dump['findings'])
                for part in dump, report['dumps'][0], manifest['dumps'][0]:
                    print(*(o['object'] for o in part['omissions'] if o['code'] == 'sequences_outside_snapshot'))
                """, "\(host.scratch)/check.json", "\(host.scratch)/report.json", "\(host.current)/manifest.json")
            #expect(omissions.output == "shop\nshop\nshop\n", "\(omissions.errors)")
        }
    }

    @Test("fails a strict job before anything is dumped, and the error says how to allow it")
    func strict() async throws {
        try await TestHost.with { host in
            host.job.dumpsInitialDatabases = true
            try await host.sql("CREATE SEQUENCE counter", in: "shop")
            host.job.dumpLines += ["    strict: true", "    allow_omissions: [optimizer_statistics]"]
            let check = try await host.muster("check")
            #expect(check.status == .exited(3))
            #expect(check.output.contains("dump app: not ready"))
            let run = try await host.muster("run")
            #expect(run.status == .exited(3))
            for code in ["sequences_outside_snapshot", "server_settings"] { #expect(run.errors.contains(code)) }
            #expect(run.errors.contains("Or accept it with 'allow_omissions: [sequences_outside_snapshot]'"))
            #expect(access(host.current.string, F_OK) != 0)
            #expect(try await host.archiveNames().isEmpty)

            host.job.dumpLines.removeLast()
            host.job.dumpLines.append(
                "    allow_omissions: [optimizer_statistics, sequences_outside_snapshot, server_settings]")
            let allowed = try await host.muster("dump")
            #expect(allowed.status == .exited(0), "\(allowed.errors)")
        }
    }
}
