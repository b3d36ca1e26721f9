import Glibc
import SystemPackage
import TestSupport
import Testing

enum BorgFault: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case wrongPassphrase, unknownRepository, heldLock

    var testDescription: String { rawValue }
}

@Suite("An archive that fails")
struct BorgFaultTests {
    @Test(
        "ends with 4, leaves the new set intact and nothing that passes for an archive; archive alone finishes the job",
        arguments: BorgFault.allCases)
    func setIsIntact(fault: BorgFault) async throws {
        try await TestHost.with { host in
            let first = try await host.muster("run")
            try #require(first.status == .exited(0), "\(first.errors)")
            let archives = try await host.archiveNames()
            try await host.sql("INSERT INTO orders SELECT n, 'more' FROM generate_series(2001, 3000) n", in: "shop")

            let result = try await host.run(with: fault)

            #expect(result.status == .exited(4), "\(result.errors)")
            #expect(result.errors.contains("local"), "the error names the repository: \(result.errors)")
            #expect(try await host.archiveNames() == archives)
            let verified = try await host.muster("verify")
            #expect(verified.status == .exited(0), "\(verified.output)")
            #expect(
                try read(host.current.appending("manifest.json")).contains("\"rows\" : 2000"), "the set is the new one")

            let second = try await host.muster("archive")
            #expect(second.status == .exited(0), "\(second.errors)")
            #expect(try await host.archiveNames().count == archives.count + 1)
        }
    }
}

extension TestHost {
    /// Runs the job with a fault in place, and takes the fault away again.
    fileprivate mutating func run(with fault: BorgFault) async throws -> Command.Result {
        let good = job
        defer { job = good }
        switch fault {
        case .wrongPassphrase:
            try write("wrong\n", to: scratch.appending("wrong"))
            job.passphraseFile = scratch.appending("wrong").string
        case .unknownRepository:
            job.repository = scratch.appending("nowhere").string
            job.initialize = nil
        case .heldLock:
            return try await whileLockIsHeld { try await $0.muster("run") }
        }
        return try await muster("run")
    }

    /// The Borg of another host holds the repository's lock meanwhile.
    private func whileLockIsHeld(_ work: (TestHost) async throws -> Command.Result) async throws -> Command.Result {
        let (ready, done) = (scratch.appending("lock-is-held"), scratch.appending("lock-may-go"))
        async let holder = command(
            "/usr/bin/borg", "with-lock", repository.string, "sh", "-c",
            "touch \(ready); until [ -e \(done) ]; do sleep 0.1; done",
            environment: [
                "BORG_PASSCOMMAND": "cat \(scratch)/passphrase", "BORG_HOST_ID": "another-host",
            ])
        try await eventually { access(ready.string, F_OK) == 0 }
        let result = try await work(self)
        try write("", to: done)
        #expect(try await holder.status == .exited(0))
        return result
    }
}
