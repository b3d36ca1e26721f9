import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@Suite("A repository that was set back to an older copy")
struct SetBackTests {
    @Test(
        "is refused with the commands that make Borg accept it, and after these a run succeeds",
        arguments: BorgUnderTest.allCases)
    func setBack(version: BorgUnderTest) async throws {
        try await TestHost.withFiles(version, hasRepository: false) { host in
            try await host.mustSucceed("run")
            let copy = host.scratch.appending("copy")
            #expect(try await runProgram("cp", ["-a", host.repository.string, copy.string]).succeeded)
            try write("later", to: host.source.appending("later"))
            try await host.mustSucceed("run")
            try FileTree(host.repository).remove()
            try FileSystem.rename(copy, to: host.repository)

            let refused = try await host.muster("archive")
            #expect(refused.status == .exited(4))
            let security = host.scratch.appending("borg-home/.config/borg/security")
            #expect(
                refused.errors.contains(
                    """
                    muster: repository 'local' is older than this host left it: it was set back, or there are two copies of it
                      location: \(host.repository)
                    """), "\(refused.errors)")
            let found = try #require(
                refused.errors.firstMatch(
                    of: /If you brought it back from a copy, run: (.*) \(and keep the file nonce there\)/)
            )
            let commands = String(found.output.1)
            #expect(
                commands
                    == "muster borg local -- delete --cache-only; rm \(security)/$(muster borg local -- config :: id)/manifest-timestamp"
            )
            let script = "muster() { \"$MUSTER\" \"$1\" \"$2\" --config \"$JOB\" \"${@:3}\"; }; \(commands)"
            let done = try await host.shell("exec bash -euc '\(script)'")
            #expect(done.status == .exited(0), "\(done.errors)")
            let id = try #require(try FileSystem.names(in: security).first)
            let left = try FileSystem.names(in: security.appending(id)).map(\.string)
            #expect(!left.contains("manifest-timestamp"))
            #expect(left.contains("nonce"), "\(left)")

            try await host.mustSucceed("run")
            #expect(try await host.archiveNames().count == 2, "the one of the copy, and a new one")
            try await host.mustSucceed("run")
            try await host.mustSucceed("extract", "latest", "--into", host.scratch.appending("x").string)
            #expect(try read(host.scratch.appending("x/app/tree/later")) == "later")
        }
    }
}
