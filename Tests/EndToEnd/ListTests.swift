import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@Suite("The list of archives")
struct ListTests {
    @Test(
        "says of each archive when, what, how consistent, how large, and whether it was confirmed",
        arguments: BorgUnderTest.allCases)
    func columns(version: BorgUnderTest) async throws {
        try await TestHost.with(version) { host in
            try await host.mustSucceed("run")
            // Neither is one of ours: an archive of the operator's own, and what Borg leaves of a create that was cut off.
            for name in ["own", "cut-off"] {
                #expect(try await host.borg("create", "::\(name)", "/etc/hostname").status == .exited(0))
            }
            #expect(try await host.borg("rename", "::cut-off", "cut-off.checkpoint").status == .exited(0))
            let name = try #require(try await host.archiveNames().first)
            let listed = try await host.mustSucceed("list")
            let lines = listed.split(separator: "\n").map(String.init)
            #expect(lines[0] == "repository local: 1 archive of this job")
            #expect(
                lines[1].split(separator: " ").map(String.init) == [
                    "STARTED", "ARCHIVE", "STANDING", "SIZE", "CONSISTENCY", "DUMPS", "RUN",
                ])
            #expect(lines[2].contains("  \(name)  confirmed  "), "\(listed)")
            #expect(lines[2].contains("exact"), "\(listed)")
            #expect(
                lines.dropFirst(3) == ["  1 more archive is not of this job on this host: muster list --all"],
                "\(listed)")

            let document = try await host.mustSucceed("list", "--json")
            let bytes = try await host.value(
                "sum(x['bytes'] for x in d['dumps'])", of: try read(host.current.appending("manifest.json")))
            #expect(
                try await host.value(
                    "[[a[k] for k in ('name', 'standing', 'consistency', 'dumps', 'bytes', 'job')] for a in d['repositories'][0]['archives']]",
                    of: document) == "[['\(name)', 'confirmed', 'exact', ['app'], \(bytes), 'nightly']]")
            let all = try await host.mustSucceed("list", "--all")
            #expect(all.contains("own") && all.contains("not Muster's"), "\(all)")
            #expect(!all.contains("cut-off"), "a checkpoint is no archive: \(all)")

            let info = try await host.mustSucceed("info", "latest", "--json")
            #expect(
                try await host.value(
                    "d['repositories'][0]['archive']['name'], d['repositories'][0]['chunker_params'], d['repositories'][0]['files'] > 3, d['repositories'][0]['original_bytes'] > \(bytes), d['repositories'][0]['deduplicated_bytes'] > 0, d['repositories'][0]['comment'].split()[0]",
                    of: info) == "('\(name)', 'buzhash,19,23,21,4095', True, True, True, 'muster')")
            let told = try await host.mustSucceed("info", name)
            #expect(told.contains("standing    confirmed"), "\(told)")
        }
    }

    @Test("marks an archive that its run did not live to confirm, and 'latest' passes it over")
    func unconfirmed() async throws {
        try await TestHost.withFiles { host in
            try await host.mustSucceed("run")
            let confirmed = try await host.newestArchive()
            let run = try host.start(["run"], environment: ["MUSTER_STOP_AT": "created"])
            try #require(await run.stopped())
            run.send(SIGKILL)
            _ = try await run.result()
            let unconfirmed = try await host.newestArchive()
            try #require(unconfirmed != confirmed)

            let listed = try await host.mustSucceed("list")
            #expect(listed.contains("  \(unconfirmed)  NOT CONFIRMED  "), "\(listed)")
            #expect(listed.contains("NOT CONFIRMED: do not trust \(unconfirmed)."), "\(listed)")
            #expect(listed.contains("  \(confirmed)  confirmed  "), "\(listed)")
            let document = try await host.mustSucceed("list", "--json")
            #expect(
                try await host.value("[a['standing'] for a in d['repositories'][0]['archives']]", of: document)
                    == "['confirmed', 'unconfirmed']")
            let latest = try await host.mustSucceed("list", "latest")
            #expect(latest.hasPrefix("archive \(confirmed) in local: confirmed\n"), "\(latest)")
            let named = try await host.muster("list", unconfirmed)
            #expect(named.output.hasPrefix("archive \(unconfirmed) in local: NOT CONFIRMED, do not trust\n"))
            #expect(named.errors.contains("this archive was never confirmed"), "\(named.errors)")
        }
    }

    @Test("takes no archive for confirmed once the staging directory is lost, and 'latest' refuses")
    func lostLedger() async throws {
        try await TestHost.with { host in
            try await host.mustSucceed("run")
            let name = try await host.newestArchive()
            try FileSystem.rename(host.staging, to: host.scratch.appending("lost"))
            let listed = try await host.mustSucceed("list")
            #expect(listed.contains("  \(name)  unknown"), "\(listed)")
            #expect(listed.contains("this host lost its record of it"), "\(listed)")
            let latest = try await host.muster("list", "latest")
            #expect(latest.status == .exited(4))
            #expect(latest.errors.contains("has no archive that this host"), "\(latest.errors)")
            #expect(latest.errors.contains("The newest is '\(name)' (unknown): name it"), "\(latest.errors)")
            #expect(try await host.mustSucceed("list", name).contains("shop: 2 tables, 1000 rows"))

            // A note that cannot be read is no better, and is said.
            try FileSystem.rename(host.scratch.appending("lost"), to: host.staging)
            try write("{", to: host.staging.appending("repositories/local.json"))
            let damaged = try await host.muster("list")
            #expect(damaged.status == .exited(0) && damaged.output.contains("unknown"), "\(damaged.output)")
            #expect(damaged.errors.contains("none of them counts as confirmed"), "\(damaged.errors)")
        }
    }

    @Test("of one repository is shown although another fails, which ends it with 4")
    func oneFails() async throws {
        try await TestHost.with { host in
            let second = host.addSecondRepository()
            try await host.mustSucceed("run")
            let name = try await host.newestArchive()
            try FileSystem.rename(second, to: host.scratch.appending("moved"))
            let listed = try await host.muster("list")
            #expect(listed.status == .exited(4))
            #expect(listed.output.contains("\(name)  confirmed"), "\(listed.output)")
            #expect(listed.output.contains("repository second: cannot be read"), "\(listed.output)")
            #expect(listed.errors.contains("repository 'second' does not exist"), "\(listed.errors)")
            let document = try await host.muster("list", "--json")
            #expect(
                try await host.value(
                    "[[len(r['archives']), r.get('error', {}).get('code')] for r in d['repositories']]",
                    of: document.output)
                    == "[[1, None], [0, 'repository_missing']]")
            // What one repository has can be read without the other.
            let shown = try await host.muster("list", "latest")
            #expect(shown.status == .exited(0) && shown.output.contains("library: 1 tables, 300 rows"))
            #expect(shown.errors.contains("not every repository could be asked"), "\(shown.errors)")
            let missing = try await host.muster("list", "no-such")
            #expect(missing.status == .exited(4) && missing.errors.contains("'second' does not exist"))
        }
    }

    @Test("is searched by name, by run, and by how one of them begins if that means one")
    func names() async throws {
        try await TestHost.withFiles { host in
            _ = host.addSecondRepository()
            try await host.mustSucceed("run")
            let run = try await host.value(
                "d['run_id']", of: try read(host.current.appending("manifest.json")))
            let first = try await host.newestArchive()
            for text in [first, run, String(run.dropLast(2)), String(first.dropLast())] {
                let shown = try await host.mustSucceed("list", text)
                #expect(shown.hasPrefix("archive \(first) in local: confirmed\nrun \(run) of job nightly"), "\(shown)")
            }
            let told = try await host.mustSucceed("info", run)
            #expect(told.contains("archive \(first) in local\n") && told.contains("archive \(first) in second\n"))
            try await host.mustSucceed("run")
            let day = String(run.prefix(8))
            let ambiguous = try await host.muster("list", day)
            #expect(ambiguous.status == .exited(4))
            #expect(ambiguous.errors.contains("'\(day)' means more than one archive"), "\(ambiguous.errors)")
            #expect(ambiguous.errors.contains(first), "\(ambiguous.errors)")
        }
    }

    @Test("leaves out columns on a narrow terminal, never the name or the standing")
    func narrow() async throws {
        try await TestHost.withFiles { host in
            try await host.mustSucceed("run")
            let name = try await host.newestArchive()
            for columns in [80, 120, 200] {
                let shown = try await host.shell(
                    "script -qec \"stty cols \(columns) rows 40; $MUSTER list --config $JOB\" /dev/null")
                let lines = shown.output.split(whereSeparator: \.isNewline).map(String.init)
                #expect(lines.contains { $0.contains(name) && $0.contains("confirmed") }, "\(shown.output)")
                let heading = try #require(lines.first { $0.contains("STARTED") })
                #expect(heading.contains("RUN") == (columns > 80), "\(heading)")
                // A long host name may need more than there is.
                let needed = 2 + 16 + 2 + name.count + 2 + "confirmed".count
                #expect(lines.allSatisfy { $0.count <= max(columns, needed) }, "\(shown.output)")
            }
        }
    }
}
