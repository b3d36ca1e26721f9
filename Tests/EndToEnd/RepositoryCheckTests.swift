import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@Suite("Checking a repository")
struct RepositoryCheckTests {
    @Test(
        "follows an archive when it is due; damage ends the run with 4, archive and set are good, and it is due again")
    func inRun() async throws {
        try await TestHost.withFiles { host in
            host.job.repositoryLines.append("    check: {every: 7d}")
            let first = try await host.muster("run", "--json")
            #expect(first.status == .exited(0), "\(first.errors)")
            #expect(first.output.contains("\"checked\" : \"full\""), "\(first.output)")
            let second = try await host.muster("run", "--json")
            #expect(second.status == .exited(0), "\(second.errors)")
            #expect(!second.output.contains("\"checked\""), "not due: \(second.output)")

            try host.makeCheckDue()
            try host.damageRepository()
            let damaged = try await host.muster("run")
            #expect(damaged.status == .exited(4))
            #expect(damaged.errors.contains("borg check found damage in repository 'local'"), "\(damaged.errors)")
            #expect(damaged.errors.contains("The set in the staging area is intact"), "\(damaged.errors)")
            #expect(damaged.errors.contains(#/archive: .+ \(confirmed\)/#), "\(damaged.errors)")
            #expect(try await host.muster("verify").status == .exited(0))
            #expect(try read(host.ledger).contains("\"last_check_at\" : \"2020-"), "still due")
            let byHand = try await host.muster("check-repository")
            #expect(byHand.status == .exited(4), "\(byHand.output)")
        }
    }

    @Test("by hand: all of it, with all data, or for a while; each is noted for the runs")
    func byHand() async throws {
        try await TestHost.withFiles { host in
            let run = try await host.muster("run")
            try #require(run.status == .exited(0), "\(run.errors)")
            #expect(try !read(host.ledger).contains("last_check_at"))
            for (arguments, text) in [
                (["--max-duration", "1h"], "checked in part"), ([], "checked"),
                (["--verify-data", "--repository", "local"], "checked with all data"),
            ] {
                let check = try await host.start(["check-repository"] + arguments).result()
                #expect(check.status == .exited(0), "\(check.errors)")
                #expect(check.output == "repository local: \(text), no damage found\n")
                #expect(try read(host.ledger).contains("last_check_at"))
                #expect(
                    try read(host.ledger).contains("last_data_verification_at") == arguments.contains("--verify-data"))
            }
            let both = try await host.muster("check-repository", "--verify-data", "--max-duration", "1h")
            #expect(both.status == .exited(64))
            #expect(try await host.muster("check-repository", "--max-duration", "soon").status == .exited(64))
        }
    }

    @Test("in part, and of all data, as the job file says")
    func scheduled() async throws {
        try await TestHost.withFiles { host in
            host.job.repositoryLines.append("    check: {every: 1d, verify_data: 30d, max_duration: 1h}")
            let first = try await host.muster("run")
            #expect(first.status == .exited(0), "\(first.errors)")
            #expect(first.output.contains("; checked with all data\n"), "\(first.output)")
            try host.makeCheckDue()
            let second = try await host.muster("run")
            #expect(second.status == .exited(0), "\(second.errors)")
            #expect(second.output.contains("; checked in part\n"), "\(second.output)")
        }
    }
}

extension TestHost {
    /// As if the last check had been long ago.
    fileprivate func makeCheckDue() throws {
        let text = try read(ledger)
        let noted = try #require(text.firstMatch(of: #/"last_check_at" : "[^"]+"/#))
        try write(text.replacing(noted.output, with: "\"last_check_at\" : \"2020-01-01T00:00:00.000Z\""), to: ledger)
    }

    /// Changes a few bytes of the first archive's data.
    fileprivate func damageRepository() throws {
        let data = repository.appending("data")
        let largest = try FileTree(data).entries().filter { $0.status.kind == .file }
            .max { $0.status.bytes < $1.status.bytes }
        let segment = try FileDescriptor.open(data.pushing(try #require(largest).path), .writeOnly)
        try segment.closeAfter { _ = try segment.writeAll(toAbsoluteOffset: 1000, "damage".utf8) }
    }
}
