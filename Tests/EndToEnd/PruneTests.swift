import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@Suite("Pruning")
struct PruneTests {
    @Test("deletes what a rehearsal says, and nothing that only has a name like it; a rehearsal changes nothing")
    func rehearsed() async throws {
        try await TestHost.withFiles { host in
            let newest = try await host.firstArchive()
            let comment = try await host.comment(of: newest)
            let old = ["2024-03-05", "2024-03-06", "2025-06-01"].map { host.name(like: newest, on: $0) }
            for name in old { try await host.plant(name, comment) }
            let others = [
                old[0].replacing("-nightly-", with: "-nightly2-"), newest + "-before-upgrade",
                host.name(like: newest, on: "2024-03-07"),
            ]
            for name in others { try await host.plant(name, "by hand") }
            host.job.repositoryLines.append("    keep: {daily: 2}")
            // They were not made from this staging directory: first the operator says whose they are.
            let strange = try await host.muster("prune")
            #expect(strange.status == .exited(4))
            #expect(
                strange.errors.contains(
                    "repository 'local' is not pruned: 3 archives of this job are not known to this staging directory, "
                        + "the newest is '\(old[2])'"), "\(strange.errors)")
            #expect(strange.errors.contains("muster accept --archives"), "\(strange.errors)")
            let accepted = try await host.mustSucceed("accept", "--archives")
            #expect(accepted.split(separator: "\n").count == 3, "\(accepted)")

            let before = try host.fingerprint(of: host.repository) + host.fingerprint(of: host.staging)
            let rehearsal = try await host.muster("prune", "--dry-run")
            #expect(rehearsal.status == .exited(0), "\(rehearsal.errors)")
            #expect(try host.fingerprint(of: host.repository) + host.fingerprint(of: host.staging) == before)
            let rows = rehearsal.output.split(separator: "\n").map(String.init)
            #expect(rows.first == "repository local: 2 go, 2 stay")
            let expected = [
                ["stays", "daily #1", newest, "confirmed"], ["stays", "daily #2", old[2], "unknown"],
                ["goes", "", old[1], "unknown"], ["goes", "", old[0], "unknown"],
                ["stays", "", others[2], "not of this job, not counted"],
            ]
            for (row, words) in zip(rows.dropFirst(), expected) {
                #expect(words.allSatisfy { row.contains($0) }, "\(row)")
            }
            #expect(rows.count == 1 + expected.count)

            let prune = try await host.muster("prune")
            #expect(prune.status == .exited(0), "\(prune.errors)")
            let done = prune.output.split(separator: "\n").map(String.init)
            #expect(done.first?.hasPrefix("repository local: 2 went, 2 stay") == true, "\(prune.output)")
            #expect(done.dropFirst().map { $0.replacing("  went ", with: "  goes ") } == Array(rows.dropFirst()))
            #expect(try await Set(host.archiveNames()) == Set([newest, old[2]] + others))
        }
    }

    @Test("is refused when no archive would stay that Muster confirmed, in a rehearsal too")
    func refused() async throws {
        try await TestHost.withFiles { host in
            let newest = try await host.firstArchive()
            try await host.plant(host.name(like: newest, on: "2024-03-05"), host.comment(of: newest))
            host.job.repositoryLines.append("    keep: {last: 1}")
            // Without its notes Muster knows of no archive that it is good.
            #expect(unlink(host.ledger.string) == 0)
            try await host.mustSucceed("accept", "--archives")
            for arguments in [["prune", "--dry-run"], ["prune"]] {
                let prune = try await host.start(arguments).result()
                #expect(prune.status == .exited(4))
                #expect(
                    prune.errors.contains("pruning repository 'local' would leave no archive that Muster confirmed"),
                    "\(prune.errors)")
            }
            #expect(try await host.archiveNames().count == 2)
        }
    }

    @Test("follows each archive of a run, which says in one line what happened")
    func inRun() async throws {
        try await TestHost.withFiles { host in
            host.job.repositoryLines.append("    keep: {last: 1}")
            let first = try await host.firstArchive()
            let run = try await host.muster("run")
            #expect(run.status == .exited(0), "\(run.errors)")
            #expect(
                run.output.contains(#/in local: confirmed, .+ new; 1 pruned, 1 kept, about .+ freed\n/#),
                "\(run.output)")
            let names = try await host.archiveNames()
            #expect(names.count == 1 && names != [first])
            let archive = try await host.muster("archive", "--json")
            #expect(archive.output.contains("\"pruned\" : [\n          \"\(names[0])\""), "\(archive.output)")
            #expect(try !read(host.ledger).contains(names[0]), "what is gone is not remembered")
        }
    }

    @Test("that fails ends a run with 4, and the archive is confirmed all the same")
    func failing() async throws {
        try await TestHost.withFiles { host in
            host.job.repositoryLines.append("    keep: {last: 1}")
            _ = try await host.firstArchive()
            try host.fake("borg", "case \"$*\" in *' compact '*) exit 2 ;; esac\nexec $BORG \"$@\"")
            let run = try await host.muster("run", "--json")
            #expect(run.status == .exited(4))
            #expect(run.errors.contains("borg compact on repository 'local' exited with status 2"), "\(run.errors)")
            #expect(run.errors.contains(#/archive: .+ \(confirmed\)/#), "\(run.errors)")
            let archives = try #require(run.output.firstRange(of: "\"archives\""))
            let record = run.output[archives.upperBound...].prefix { $0 != "]" }
            #expect(record.contains("\"upkeep\""), "\(run.output)")
            #expect(run.output[archives.upperBound...].contains("\"outcome\" : \"done\""), "\(run.output)")
            #expect(unlink(host.bin.appending("borg").string) == 0)
            let prune = try await host.muster("prune", "--json")
            #expect(prune.status == .exited(0), "\(prune.errors)")
            #expect(prune.output.contains("\"compacted\" : true"), "\(prune.output)")
        }
    }

    @Test("never follows an archive that failed")
    func afterFailure() async throws {
        try await TestHost.withFiles { host in
            host.job.repositoryLines.append("    keep: {last: 1}")
            let newest = try await host.firstArchive()
            try await host.plant(host.name(like: newest, on: "2024-03-05"), host.comment(of: newest))
            try host.fake("borg", "case \"$*\" in *' create '*) exit 2 ;; esac\nexec $BORG \"$@\"")
            #expect(try await host.muster("run").status == .exited(4))
            #expect(try await host.archiveNames().count == 2)
        }
    }

    @Test("deletes an archive that was never confirmed, and counts it in nobody's place")
    func unconfirmed() async throws {
        try await TestHost.withFiles { host in
            let confirmed = try await host.firstArchive()
            let run = try host.start(["run"], environment: ["MUSTER_STOP_AT": "created"])
            try #require(await run.stopped())
            run.send(SIGKILL)
            _ = try await run.result()
            host.job.repositoryLines.append("    keep: {last: 1}")
            #expect(try await host.archiveNames().count == 2)
            let rehearsal = try await host.muster("prune", "--dry-run")
            #expect(rehearsal.output.contains(#/goes .+ unconfirmed\n/#), "\(rehearsal.output)")
            #expect(rehearsal.output.contains(#/stays +last #1 +.+ confirmed\n/#), "\(rehearsal.output)")
            let prune = try await host.muster("prune")
            #expect(prune.status == .exited(0), "\(prune.errors)")
            #expect(try await host.archiveNames() == [confirmed])
            #expect(try read(host.ledger).contains("\"begun\" : [\n\n  ]"))
        }
    }

    @Test("that is killed leaves notes of archives that are gone, which the next one drops")
    func killed() async throws {
        try await TestHost.withFiles { host in
            let first = try await host.firstArchive()
            try #require(try await host.muster("run").status == .exited(0))
            host.job.repositoryLines.append("    keep: {last: 1}")
            let prune = try host.start(["prune"], environment: ["MUSTER_STOP_AT": "pruned"])
            try #require(await prune.stopped())
            prune.send(SIGKILL)
            _ = try await prune.result()
            #expect(try await host.archiveNames().count == 1)
            #expect(try read(host.ledger).contains(first))
            let next = try await host.muster("prune")
            #expect(next.status == .exited(0), "\(next.errors)")
            #expect(next.output.hasPrefix("repository local: 0 went, 1 stay"), "\(next.output)")
            #expect(try !read(host.ledger).contains(first))
            #expect(try await host.archiveNames().count == 1)
        }
    }

    @Test("tells what is known where a repository only grows: the archives are gone, no space is freed")
    func appendOnly() async throws {
        try await TestHost.withFiles { host in
            host.job.repositoryLines.append("    keep: {last: 1}")
            _ = try await host.firstArchive()
            #expect(try await host.borg("config", "::", "append_only", "1").status == .exited(0))
            let run = try await host.muster("run")
            #expect(run.status == .exited(0), "\(run.errors)")
            #expect(run.output.contains("; 1 pruned, 1 kept, Borg reports no freed space"), "\(run.output)")
            #expect(try await host.archiveNames().count == 1)
        }
    }

    @Test("without keep: is a mistake of the job; while a run is at work it waits for nobody and ends with 6")
    func refusedAtOnce() async throws {
        try await TestHost.withFiles { host in
            let without = try await host.muster("prune")
            #expect(without.status == .exited(78))
            #expect(
                without.errors == """
                    muster: the job 'nightly' does not say what to keep in local
                      hint: Write it there, such as keep: {daily: 7, weekly: 4, monthly: 6}.

                    """)
            host.job.repositoryLines.append("    keep: {last: 1}")
            let run = try host.start(["run"], environment: ["MUSTER_STOP_AT": "locked"])
            try #require(await run.stopped())
            #expect(try await host.muster("prune").status == .exited(6))
            #expect(try await host.muster("check-repository").status == .exited(6))
            run.send(SIGCONT)
            #expect(try await run.result().status == .exited(0))
        }
    }
}

extension TestHost {
    var ledger: FilePath { staging.appending("repositories").appending("local.json") }

    /// The name of the archive of a first run.
    func firstArchive() async throws -> String {
        let run = try await muster("run")
        try #require(run.status == .exited(0), "\(run.errors)")
        return try #require(try await archiveNames().first)
    }

    func comment(of archive: String) async throws -> String {
        let listed = try await borg("list", "--glob-archives", archive, "--format", "{comment}")
        try #require(listed.output.hasPrefix("muster "), "\(listed.output)\(listed.errors)")
        return listed.output
    }

    /// The name that the archive of another day has.
    func name(like archive: String, on day: String) -> String {
        archive.dropLast("2026-11-23T08:01:02Z".count) + day + "T01:00:00Z"
    }

    /// An archive that Muster did not make, of the day in its name.
    func plant(_ name: String, _ comment: String) async throws {
        let day = name.firstMatch(of: #/20[0-9]{2}-[0-9]{2}-[0-9]{2}/#).map { String($0.output) } ?? "2024-01-01"
        let made = try await borg(
            "create", "--timestamp", "\(day)T01:00:00", "--comment", comment, "::\(name)", "/etc/hostname")
        try #require(made.status == .exited(0), "\(made.errors)")
    }
}
