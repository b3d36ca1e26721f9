import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@Suite("A dump by hand")
struct ByHandTests {
    @Test("appears complete under its name, verifies, and leaves the published set alone")
    func intoDirectory() async throws {
        try await TestHost.withFiles { host in
            let run = try await host.muster("dump")
            try #require(run.status == .exited(0), "\(run.errors)")
            let set = try host.currentFingerprint()
            let target = host.scratch.appending("by-hand")
            let dump = try await host.muster("dump", "app", "--into", target.string)
            #expect(dump.status == .exited(0), "\(dump.errors)")
            #expect(try FileSystem.names(in: target).map(\.string) == ["app", "checksums", "manifest.json"])
            let verified = try await host.muster("verify", "--set", target.string)
            #expect(verified.status == .exited(0), "\(verified.output)")
            #expect(try host.currentFingerprint() == set)
        }
    }

    @Test("is refused where something is already, and touches nothing there")
    func occupied() async throws {
        try await TestHost.withFiles { host in
            let target = host.scratch.appending("occupied")
            try FileSystem.createDirectory(target)
            try write("mine", to: target.appending("file"))
            let dump = try await host.muster("dump", "--into", target.string)
            #expect(dump.status == .exited(3))
            #expect(dump.errors.contains("\(target)"), "\(dump.errors)")
            #expect(try read(target.appending("file")) == "mine")
            #expect(try FileSystem.names(in: target).count == 1)
        }
    }

    @Test("of a name that the job does not have, or without a place for it, is an error of the command line")
    func usage() async throws {
        try await TestHost.withFiles { host in
            let unknown = try await host.muster("dump", "ap", "--into", host.scratch.appending("x").string)
            #expect(unknown.status == .exited(64))
            #expect(
                unknown.errors.contains("the job 'nightly' has no dump 'ap'\n  hint: Did you mean 'app'? It has: app."))
            #expect(try await host.muster("dump", "app").status == .exited(64))
        }
    }

    @Test(
        "is complete although what it was made in cannot be removed, and the status does not say that nothing was published"
    )
    func leftover() async throws {
        try await TestHost.withFiles { host in
            let target = host.scratch.appending("by-hand")
            let dump = try host.start(["dump", "--into", target.string], environment: ["MUSTER_STOP_AT": "published"])
            try #require(await dump.stopped())
            let hidden = try #require(
                try FileSystem.names(in: host.scratch).first { $0.string.hasPrefix(".by-hand.") })
            let held = host.scratch.appending(hidden).appending("lock").string
            try await output("chattr", "+i", held)
            dump.send(SIGCONT)
            let result = try await dump.result()
            try await output("chattr", "-i", held)
            #expect(result.status == .exited(1), "\(result.errors)")
            #expect(result.errors.contains("cannot remove \(host.scratch)/.by-hand."), "\(result.errors)")
            #expect(result.errors.hasSuffix("\nthe set is published\n"), "\(result.errors)")
            #expect(try await host.muster("verify", "--set", target.string).status == .exited(0))
        }
    }

    @Test("that is killed leaves what no other user enters, and what muster status names for as long as it is there")
    func killed() async throws {
        try await TestHost.withFiles { host in
            try await host.mustSucceed("dump")
            let target = host.scratch.appending("by-hand")
            let dump = try host.start(["dump", "--into", target.string], environment: ["MUSTER_STOP_AT": "dumped"])
            try #require(await dump.stopped())
            dump.send(SIGKILL)
            _ = try await dump.result()
            let hidden = try #require(
                try FileSystem.names(in: host.scratch).first { $0.string.hasPrefix(".by-hand.") })
            let left = host.scratch.appending(hidden)
            #expect(try FileSystem.status(of: left).mode == 0o700)
            let status = try await host.mustSucceed("status")
            #expect(
                status.contains("left by muster dump --into of ")
                    && status.contains(", which was killed: \(left) (remove it)"), "\(status)")
            try FileTree(left).remove()
            // The next one that is made by hand forgets what is gone.
            try await host.mustSucceed("dump", "--into", target.string)
            #expect(try FileSystem.names(in: host.staging.appending("unfinished")).isEmpty)
            #expect(!(try await host.mustSucceed("status").contains("which was killed")))
        }
    }

    @Test("that fails leaves nothing under the name, nor beside it")
    func failed() async throws {
        try await TestHost.with { host in
            host.job.dumpLines.append("    databases: {include: [nowhere]}")
            let before = try FileSystem.names(in: host.scratch).filter { !$0.string.hasPrefix("command-") }
            let dump = try await host.muster("dump", "--into", host.scratch.appending("by-hand").string)
            #expect(dump.status == .exited(3))
            #expect(dump.errors.contains("nowhere"))
            let after = try FileSystem.names(in: host.scratch).filter { !$0.string.hasPrefix("command-") }
            #expect(after.filter { $0.string != "nightly.yaml" } == before)
        }
    }
}
