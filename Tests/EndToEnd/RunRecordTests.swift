import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@Suite("What a run leaves on record")
struct RunRecordTests {
    @Test("is there from its start: running while it lives, without a result once it was killed")
    func killed() async throws {
        try await TestHost.withFiles { host in
            try await host.mustSucceed("dump")
            let run = try host.start(["run"], environment: ["MUSTER_STOP_AT": "dumped"])
            try #require(await run.stopped())
            let running = try await host.mustSucceed("status")
            #expect(running.contains(": running, dump\n"), "\(running)")
            run.send(SIGKILL)
            _ = try await run.result()
            for _ in 1...2 {
                let killed = try await host.mustSucceed("status")
                #expect(killed.contains(": ended without a result, dump\n"), "\(killed)")
                try await host.mustSucceed("dump")
            }
            let status = try await host.mustSucceed("status", "--json")
            #expect(
                try await host.value("[(r['outcome'], r.get('exit_status')) for r in d['runs']]", of: status)
                    == "[('done', 0), ('done', 0), ('no_result', None), ('done', 0)]")
        }
    }

    @Test("is the status that the process ended with", arguments: [SIGINT, SIGTERM, SIGHUP])
    func signals(signal: Int32) async throws {
        try await TestHost.withFiles { host in
            for (point, line) in [
                // Early enough that the run does not publish before it notices the signal.
                ("prepared", "interrupted: nothing was published"),
                ("begun", "interrupted: the set is intact; 'muster archive nightly' finishes the job"),
            ] {
                let run = try host.start(["run"], environment: ["MUSTER_STOP_AT": point])
                try #require(await run.stopped())
                run.send(signal)
                run.send(SIGCONT)
                let result = try await run.result()
                #expect(result.status == .exited(128 + signal))
                #expect(result.errors.hasSuffix("\n\(line)\n"), "\(result.errors)")
                let status = try await host.mustSucceed("status", "--json")
                #expect(try await host.value("d['runs'][0]['exit_status']", of: status) == "\(128 + signal)")
            }
        }
    }

    @Test(
        "cannot be written: the archive is confirmed all the same, and the status says neither 0 nor that nothing was published"
    )
    func readOnly() async throws {
        try await TestHost.withFiles { host in
            try await host.mustSucceed("dump")
            let runs = host.staging.appending("runs").string
            try await output("mount", "--bind", runs, runs)
            try await output("mount", "-o", "remount,bind,ro", runs)
            let result = try await host.muster("run")
            try await output("umount", runs)
            #expect(result.status == .exited(1), "\(result.errors)")
            #expect(
                result.errors.hasSuffix("\nthe set is published, and every archive is confirmed\n"), "\(result.errors)")
            #expect(try await host.archiveNames().count == 1)
        }
    }

    @Test("When Borg fails, the last line says that the set is intact and what finishes the job")
    func borgFails() async throws {
        try await TestHost.withFiles { host in
            try host.fake("borg", "case \"$*\" in *create*) exit 2 ;; *) exec $BORG \"$@\" ;; esac")
            let result = try await host.muster("run")
            #expect(result.status == .exited(4))
            #expect(
                result.errors.hasSuffix("\nthe set is intact; 'muster archive nightly' finishes the job\n"),
                "\(result.errors)")
            #expect(unlink(host.bin.appending("borg").string) == 0)
            try await host.mustSucceed("archive")
        }
    }
}

@Suite("A set that is not what was sealed")
struct DamagedSetTests {
    @Test("is neither archived nor lent, whether its times tell or not", arguments: [false, true])
    func damaged(keepingTimes: Bool) async throws {
        try await TestHost.with { host in
            try await host.mustSucceed("run")
            let file = host.current.appending("app/globals.sql")
            let modified = try FileSystem.status(of: file).modified
            let bytes = try FileDescriptor.open(file, .writeOnly)
            try bytes.closeAfter { _ = try bytes.writeAll("#".utf8) }
            if keepingTimes { try FileSystem.setModified(file, to: modified) }
            for arguments in [["archive"], ["verify"], ["with-lock", "--", "touch", "\(host.scratch)/ran"]] {
                let result = try await host.start(arguments).result()
                #expect(result.status == .exited(5), "\(arguments): \(result.errors)")
            }
            #expect(access("\(host.scratch)/ran", F_OK) != 0)
            #expect(try await host.archiveNames().count == 1)
            try await host.mustSucceed("run")
        }
    }

    @Test("after Borg has read it is not archived either, and the archive is deleted")
    func damagedMeanwhile() async throws {
        try await TestHost.with { host in
            let result = try await host.muster("run", stoppedAt: "created") {
                let file = try FileDescriptor.open(host.current.appending("app/globals.sql"), .writeOnly)
                try file.closeAfter { _ = try file.writeAll("#".utf8) }
            }
            #expect(result.status == .exited(5), "\(result.errors)")
            #expect(try await host.archiveNames().isEmpty)
        }
    }
}
