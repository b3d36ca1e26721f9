import DumpCore
import Linux
import SystemPackage
import TestSupport
import Testing

@Suite("A job's identity")
struct IdentityTests {
    @Test("whose staging directory lies in what another job dumps is refused, unless that one leaves it out")
    func stagedInAnothersSource() async throws {
        try await TestHost.withFiles(hasRepository: false) { host in
            let jobs = host.scratch.appending("jobs")
            try FileSystem.createDirectory(jobs)
            host.environment["MUSTER_CONFIG_DIRECTORY"] = jobs.string
            let other = "staging: /srv/other\ndumps: {all: {provider: directory, path: \(host.scratch)"
            for (more, isRefused) in [
                ("", true), (", exclude: [/else/]", true), (", exclude: [/staging/]", false),
                (", exclude: ['/sta*']", false),
            ] {
                try write("\(other)\(more)}}\n", to: jobs.appending("whole.yaml"))
                for command in ["check", "dump"] {
                    let result = try await host.muster(command)
                    #expect((result.status == .exited(78)) == isRefused, "\(more): \(result.errors)")
                    guard isRefused else { continue }
                    #expect(result.errors.contains("is inside what job 'whole' dumps as 'all'"), "\(result.errors)")
                    #expect(result.errors.contains("exclude: [/staging/] in \(jobs)/whole.yaml"), "\(result.errors)")
                }
            }
        }
    }

    @Test("Two jobs in one staging directory: the second is refused with 78 by every command, and nothing is touched")
    func oneStagingDirectory() async throws {
        try await TestHost.withFiles { host in
            try await host.mustSucceed("run")
            let before = try host.currentFingerprint()
            host.jobName = "copied"
            host.job.repositoryLines.append("    keep: {last: 1}")
            for arguments in [
                ["run"], ["dump"], ["archive"], ["prune"], ["check-repository"], ["with-lock", "--", "true"],
            ] {
                let refused = try await host.start(arguments).result()
                #expect(refused.status == .exited(78), "\(arguments): \(refused.errors)")
                let message = "staging directory \(host.staging) belongs to job 'nightly', not to job 'copied'"
                #expect(refused.errors.contains(message), "\(refused.errors)")
                #expect(refused.errors.contains("muster accept --staging"), "\(refused.errors)")
            }
            let check = try await host.muster("check")
            #expect(check.output.contains("belongs to job 'nightly'"), "\(check.output)")
            #expect(check.status == .exited(78))
            #expect(
                try host.fingerprint(of: host.staging.appending("runs")).count == 1, "the other job has no report here")
            #expect(try host.currentFingerprint() == before)
            #expect(try await host.archiveNames().count == 1)
        }
    }

    @Test("A job file of the same name elsewhere is another job, unless it says the same or the first is gone")
    func copiedElsewhere() async throws {
        try await TestHost.withFiles { host in
            try await host.mustSucceed("run")
            let copy = host.scratch.appending("app2").appending("nightly.yaml")
            try FileSystem.createDirectory(host.scratch.appending("app2"), mode: 0o755)
            try write(host.job.text, to: copy)
            let same = try await host.command(musterExecutable, "dump", "--config", copy.string)
            #expect(same.status == .exited(0), "\(same.errors)")
            try await host.mustSucceed("dump")
            try write(host.job.text + "max_age: 1d\n", to: copy)
            let refused = try await host.command(musterExecutable, "dump", "--config", copy.string)
            #expect(refused.status == .exited(78))
            #expect(
                refused.errors.contains("belongs to the job in \(host.jobFile), not to the one in \(copy)"),
                "\(refused.errors)")
            try FileSystem.removeFile(host.jobFile)
            let moved = try await host.command(musterExecutable, "dump", "--config", copy.string)
            #expect(moved.status == .exited(0), "\(moved.errors)")
        }
    }

    @Test(
        "A job that was renamed keeps its archives once the operator says that it was",
        arguments: BorgUnderTest.allCases)
    func renamed(version: BorgUnderTest) async throws {
        try await TestHost.withFiles(version) { host in
            host.job.repositoryLines.append("    keep: {last: 2}")
            for _ in 1...2 { try await host.mustSucceed("run") }
            host.jobName = "weekly"
            host.job.lines.append("host: web2")
            let taken = try await host.mustSucceed("accept", "--staging")
            #expect(taken == "\(host.staging) is the staging directory of job 'weekly' now\n")
            try await host.mustSucceed("run")
            let names = try await host.archiveNames()
            #expect(names.count == 2, "\(names)")
            #expect(names.contains { $0.hasPrefix("web2-weekly-") } && names.contains { $0.contains("-nightly-") })
            let listed = try await host.mustSucceed("list")
            #expect(listed.contains("2 archives"), "\(listed)")
            host.jobName = "nightly"
            #expect(try await host.muster("run").status == .exited(78), "the job has its new name now")
        }
    }

    @Test("A staging directory from before there were identities is that of the job whose set is in it")
    func fromBefore() async throws {
        try await TestHost.withFiles { host in
            host.job.repositoryLines.append("    keep: {last: 1}")
            try await host.mustSucceed("run")
            // As Muster 0.1.0 left it, whose archives have no id either: the names tell that they are the job's.
            try FileSystem.removeFile(host.staging.appending("job.json"))
            host.jobName = "copied"
            #expect(try await host.muster("run").status == .exited(78))
            host.jobName = "nightly"
            let archive = try #require(try await host.archiveNames().first)
            let comment = try await host.comment(of: archive).replacing(#/ id=[0-9a-f]+/#, with: "")
            let changed = try await host.borg("recreate", "--comment", comment, "::\(archive)")
            try #require(changed.status == .exited(0), "\(changed.errors)")
            let id = try await host.borg("list", "--format", "{id}", "--glob-archives", archive).output
            let noted = try read(host.ledger)
            let old = try #require(noted.firstMatch(of: #/"id" : "([0-9a-f]{64})"/#)?.output.1)
            try write(noted.replacing(String(old), with: id), to: host.ledger)

            try await host.mustSucceed("extract", "latest", "--into", host.scratch.appending("x").string)
            try await host.mustSucceed("run")
            let names = try await host.archiveNames()
            #expect(names.count == 1 && names != [archive], "\(names)")
        }
    }

    @Test("Two jobs of one name with one repository neither prune nor count each other's archives")
    func namesakes() async throws {
        try await TestHost.withFiles { host in
            host.job.repositoryLines.append("    keep: {last: 1}")
            try await host.mustSucceed("run")
            let first = try await host.archiveNames()
            host.job.staging = host.scratch.appending("staging2").string
            for number in 1...2 {
                let run = try await host.muster("run")
                #expect(run.status == .exited(0), "\(run.errors)")
                #expect(run.output.contains("\(number - 1) pruned, 1 kept"), "\(run.output)")
                #expect(run.errors.contains("are another job's, or of an earlier staging directory"), "\(run.errors)")
            }
            let names = try await host.archiveNames()
            #expect(names.count == 2 && names.starts(with: first), "\(names)")
        }
    }

    @Test("'latest' is what was archived last, also of one set; newer archives that this host does not know are told")
    func latest() async throws {
        try await TestHost.withFiles { host in
            try await host.mustSucceed("run")
            try await host.mustSucceed("archive")
            let names = try await host.archiveNames()
            let image = host.scratch.appending("image")
            _ = try await output("cp", "-a", host.staging.string, image.string)
            let shown = try await host.mustSucceed("list", "latest")
            #expect(shown.hasPrefix("archive \(names[1]) in local: confirmed"), "\(shown)")

            try await host.mustSucceed("run")
            let newest = try #require(try await host.archiveNames().last)
            try FileSystem.rename(host.staging, to: host.scratch.appending("lost"))
            try FileSystem.rename(image, to: host.staging)
            let old = try await host.muster("list", "latest")
            #expect(old.output.hasPrefix("archive \(names[1]) in local: confirmed"), "\(old.output)")
            #expect(old.errors.contains("this job has newer archives"), "\(old.errors)")
            #expect(old.errors.contains(newest), "\(old.errors)")
            // Nor is one of them deleted.
            host.job.repositoryLines.append("    keep: {last: 1}")
            let run = try await host.muster("run")
            #expect(run.status == .exited(0), "\(run.errors)")
            #expect(run.output.contains("NOT PRUNED: 1 archives of this job are not known"), "\(run.output)")
            #expect(try await host.archiveNames().count == 4)
        }
    }
}
