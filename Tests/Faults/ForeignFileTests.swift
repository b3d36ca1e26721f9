import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@Suite("A process of the user that pg_dump runs as")
struct ForeignFileTests {
    @Test("that keeps a file of the dump open for writing fails the dump, and the published set stays")
    func writer() async throws {
        try await TestHost.with { host in
            let user = try #require(UserAccount(named: PostgreSQLServer.user))
            let meeting = host.scratch.appending("meeting")
            try FileSystem.createDirectory(meeting, mode: 0o777)
            // In a process that pg_dump did not start, and that is not ended with it.
            let holder = try Command(
                "/usr/sbin/runuser", ["-u", user.name, "--", "bash", "-c", Self.holder(meeting)],
                environment: ["PATH": "/usr/bin:/bin"], scratch: host.scratch)
            try host.replaceClient(
                "pg_dump",
                """
                "$real" "$@" || exit
                case "$*" in *shop*) echo $$ >\(meeting)/pid; until [ -e \(meeting)/held ]; do sleep 0.02; done ;; esac
                """)
            let dump = try await host.muster("dump")
            holder.send(SIGTERM)
            _ = try await holder.result()
            #expect(dump.status == .exited(3), "\(dump.errors)")
            #expect(dump.errors.contains("toc.dat is open for writing in another process"), "\(dump.errors)")
            #expect(access(host.current.string, F_OK) != 0)

            // Once it has gone, nothing is left of it.
            try write("", to: meeting.appending("held"))
            #expect(try await host.muster("dump").status == .exited(0))
            #expect(try await host.muster("verify").status == .exited(0))
        }
    }

    private static func holder(_ meeting: FilePath) -> String {
        """
        cd \(meeting)
        until [ -s pid ]; do sleep 0.02; done
        mkdir taken; exec 9>>/proc/$(cat pid)/fd/3/toc.dat && touch held
        exec sleep 600
        """
    }

    @Test("that links a file of another user into the dump fails it, and the file stays that user's")
    func link() async throws {
        try await TestHost.with { host in
            let outside = host.scratch.appending("outside")
            try write("own", to: outside, mode: FilePermissions(rawValue: 0o666))
            try #require(chown(outside.string, 23456, 23456) == 0 && chmod(outside.string, 0o666) == 0)
            try host.replaceClient(
                "pg_dump",
                "\"$real\" \"$@\" || exit; case \"$*\" in *--file*) ln \(outside) /proc/self/fd/3/evil ;; esac")
            let dump = try await host.muster("dump")
            #expect(dump.status == .exited(3), "\(dump.errors)")
            #expect(dump.errors.contains("evil belongs to user 23456"), "\(dump.errors)")
            let status = try FileSystem.status(of: outside)
            #expect(status.uid == 23456 && status.mode == 0o666 && status.links == 1)
        }
    }
}
