import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@Suite("Several repositories")
struct RepositoriesTests {
    @Test("each receive the set; one that fails stops no other, and is repeated alone")
    func several() async throws {
        try await TestHost.with(hasRepository: false) { host in
            let second = host.scratch.appending("second")
            host.job.repositoryLines += [
                "  second:", "    location: \(second)", "    passphrase: {file: \(host.job.passphraseFile)}",
                "    initialize: repokey-blake2",
            ]
            try write("in the way\n", to: second)
            let run = try await host.muster("run", "--json")
            #expect(run.status == .exited(4), "\(run.errors)")
            #expect(run.errors.contains("second"), "\(run.errors)")
            #expect(try await host.archiveNames().count == 1)

            #expect(unlink(second.string) == 0)
            let unknown = try await host.muster("archive", "--repository", "third")
            #expect(unknown.status == .exited(64))
            #expect(
                unknown.errors.contains("has no repository 'third'\n  hint: It has: local, second."),
                "\(unknown.errors)")
            let again = try await host.muster("archive", "--repository", "second")
            #expect(again.status == .exited(0), "\(again.errors)")
            #expect(try await host.archiveNames().count == 1, "the first was left alone")

            let listed = try await host.muster("list", "--repository", "second", "--json")
            let name = try #require(listed.output.firstMatch(of: /"name" : "([^"]+)"/)?.output.1)
            let shown = try await host.muster("list", String(name))
            #expect(shown.status == .exited(0), "\(shown.errors)")
            #expect(shown.output.contains("shop: 2 tables, 1000 rows"), "\(shown.output)")
            let nowhere = try await host.muster("list", "no-such-archive")
            #expect(nowhere.status == .exited(4))
            #expect(nowhere.errors.contains("no-such-archive"), "\(nowhere.errors)")
        }
    }

    @Test("The key is exported once, and a file in its way fails the run before anything is archived")
    func keyExport() async throws {
        try await TestHost.withFiles(hasRepository: false) { host in
            let key = host.scratch.appending("key")
            host.job.repositoryLines.append("    key_export: \(key)")
            try write("in the way\n", to: key)
            let blocked = try await host.muster("run")
            #expect(blocked.status == .exited(4))
            let message = "cannot export the key of repository 'local' to \(key): there is another file"
            #expect(blocked.errors.contains(message), "\(blocked.errors)")
            #expect(try await host.archiveNames().isEmpty)

            #expect(unlink(key.string) == 0)
            let run = try await host.muster("archive")
            #expect(run.status == .exited(0), "\(run.errors)")
            #expect(run.errors.contains("store it on another host"), "\(run.errors)")
            #expect(try read(key).hasPrefix("BORG_KEY "))

            // Stored elsewhere as told: it is not exported anew.
            #expect(unlink(key.string) == 0)
            let next = try await host.muster("archive")
            #expect(next.status == .exited(0), "\(next.errors)")
            #expect(access(key.string, F_OK) != 0)
        }
    }

    @Test("A repository that is gone with its archives is not created anew, as on a disk that is not mounted")
    func gone() async throws {
        try await TestHost.withFiles { host in
            try await host.mustSucceed("run")
            let aside = host.scratch.appending("aside")
            try FileSystem.rename(host.repository, to: aside)
            let run = try await host.muster("run")
            #expect(run.status == .exited(4), "\(run.errors)")
            #expect(
                run.errors.contains("repository 'local' is gone: archives of this job were in it"), "\(run.errors)")
            #expect(run.errors.contains("muster borg local -- init --encryption repokey-blake2"), "\(run.errors)")
            #expect(access(host.repository.string, F_OK) != 0)
            let check = try await host.muster("check")
            #expect(check.output.contains("'local' is gone"), "\(check.output)")

            try FileSystem.rename(aside, to: host.repository)
            try await host.mustSucceed("archive")
            #expect(try await host.archiveNames().count == 2)
        }
    }

    @Test("Borg 2 receives a set too, prunes and checks, and the operator is told that it is a beta")
    func beta() async throws {
        try await TestHost.withFiles(.beta, hasRepository: false) { host in
            host.job.initialize = "repokey-aes256-ocb"
            host.job.repositoryLines += ["    keep: {last: 2}", "    check: {every: 1d, verify_data: 2d}"]
            let check = try await host.muster("check")
            #expect((check.output + check.errors).contains("Borg 2"), "\(check.output) \(check.errors)")
            for number in 1...3 {
                let run = try await host.muster("run")
                #expect(run.status == .exited(0), "\(run.errors)")
                #expect(run.output.contains("checked with all data") == (number == 1), "\(run.output)")
                #expect(run.output.contains("1 pruned, 2 kept") == (number == 3), "\(run.output)")
            }
            let listed = try await host.muster("list")
            #expect(listed.output.split(separator: "\n").count { $0.contains("-nightly-") } == 2, "\(listed.output)")
        }
    }
}
