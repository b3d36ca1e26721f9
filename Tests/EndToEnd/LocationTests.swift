import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@Suite("A repository's location")
struct LocationTests {
    @Test(
        "that changed is refused where archives were confirmed, until the operator says so; the new key goes to a file of its own",
        arguments: BorgUnderTest.allCases)
    func changed(version: BorgUnderTest) async throws {
        try await TestHost.withFiles(version, hasRepository: false) { host in
            let key = host.scratch.appending("key")
            host.job.repositoryLines.append("    key_export: \(key)")
            try await host.mustSucceed("run")
            let former = host.job.repository
            host.job.repository = host.scratch.appending("elsewhere").string
            for arguments in [["run"], ["archive"]] {
                let refused = try await host.start(arguments).result()
                #expect(refused.status == .exited(4))
                #expect(
                    refused.errors.contains(
                        """
                        muster: repository 'local' has another location now, and 1 archives were confirmed at the former one
                          location: \(host.job.repository)
                          former_location: \(former)
                          hint: If that is intended: muster accept --location. The archives there stay, and are no longer pruned.
                        """), "\(refused.errors)")
            }
            #expect(access(host.job.repository, F_OK) != 0)
            let check = try await host.muster("check")
            #expect(check.output.contains("has another location now"), "\(check.output)")

            let accepted = try await host.mustSucceed("accept", "--location")
            #expect(accepted == "repository local: its archives are in \(host.job.repository) from now on\n")
            // The exported key is the former repository's, and stays.
            let stale = try read(key)
            let blocked = try await host.muster("archive")
            #expect(blocked.status == .exited(4))
            #expect(blocked.errors.contains("to \(key): it holds the key of another repository"), "\(blocked.errors)")
            #expect(try read(key) == stale)
            try FileSystem.rename(key, to: host.scratch.appending("former-key"))
            try await host.mustSucceed("archive")
            #expect(try read(key).hasPrefix("BORG_KEY ") && read(key) != stale)
            try await host.mustSucceed("extract", "latest", "--into", host.scratch.appending("x").string)
        }
    }

    @Test("A repository that was created again at its location has its own key exported, and the operator is told")
    func createdAgain() async throws {
        try await TestHost.withFiles { host in
            let key = host.scratch.appending("key")
            host.job.repositoryLines.append("    key_export: \(key)")
            try await host.mustSucceed("run")
            try FileSystem.rename(host.repository, to: host.scratch.appending("aside"))
            let made = try await host.borg("init", "--encryption", "repokey-blake2")
            try #require(made.status == .exited(0), "\(made.errors)")
            let run = try await host.muster("run")
            #expect(run.status == .exited(4))
            #expect(run.errors.contains("it holds the key of another repository"), "\(run.errors)")
            try FileSystem.rename(key, to: host.scratch.appending("former-key"))
            try await host.mustSucceed("archive")
            #expect(try read(key).hasPrefix("BORG_KEY "))
        }
    }

    @Test("Two entries that lead to one repository are refused, however its location is written")
    func twice() async throws {
        try await TestHost.withFiles { host in
            let link = host.scratch.appending("link")
            try #require(symlink(host.repository.string, link.string) == 0)
            func add(_ location: String) {
                host.job.repositoryLines += [
                    "  second:", "    location: \(location)", "    passphrase: {file: \(host.job.passphraseFile)}",
                ]
            }
            let lines = host.job.repositoryLines
            add("\(host.repository)/")
            let same = try await host.muster("run")
            #expect(same.status == .exited(78))
            #expect(same.errors.contains("'local' and 'second' are the same repository"), "\(same.errors)")
            host.job.repositoryLines = lines
            add(link.string)
            host.environment["BORG_RELOCATED_REPO_ACCESS_IS_OK"] = "yes"
            let linked = try await host.muster("run")
            #expect(linked.status == .exited(4))
            #expect(linked.errors.contains("'local' and 'second' are the same repository"), "\(linked.errors)")
            #expect(try await host.archiveNames().count == 1)
        }
    }
}
