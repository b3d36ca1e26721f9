import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@Suite("Several repositories")
struct RepositoriesTests {
    @Test("each receive the set; one that fails stops no other, and is repeated alone")
    func several() async throws {
        try await TestHost.with { host in
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
            #expect(unknown.errors.contains("has no repository 'third'. It has: local, second."), "\(unknown.errors)")
            let again = try await host.muster("archive", "--repository", "second")
            #expect(again.status == .exited(0), "\(again.errors)")
            #expect(try await host.archiveNames().count == 1, "the first was left alone")

            let listed = try await host.muster("list", "--repository", "second")
            let name = try #require(listed.output.split(separator: "\n").last?.split(separator: " ").first)
            let shown = try await host.muster("list", String(name))
            #expect(shown.status == .exited(0), "\(shown.errors)")
            #expect(shown.output.contains("shop: 2 tables, 1000 rows"), "\(shown.output)")
            let nowhere = try await host.muster("list", "no-such-archive")
            #expect(nowhere.status == .exited(4))
            #expect(nowhere.errors.contains("no-such-archive"), "\(nowhere.errors)")
        }
    }
}
