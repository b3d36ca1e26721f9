import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@Suite("Hooks")
struct HookTests {
    /// A program that notes its arguments and what it is told, and ends with a status.
    private func hook(_ host: TestHost, _ word: String, status: Int = 0) -> String {
        let line =
            "echo \(word) ${MUSTER_HOOK} ${MUSTER_COMMAND} ${MUSTER_OUTCOME:-none} ${MUSTER_EXIT_STATUS:-none} $(ls \(host.staging)/current 2>&1 | wc -l) >> \(host.scratch)/story; exit \(status)"
        return "[/bin/sh, -c, '\(line)']"
    }

    private func story(_ host: TestHost) throws -> [String] {
        defer { unlink("\(host.scratch)/story") }
        return ((try? read(host.scratch.appending("story"))) ?? "").split(separator: "\n").map(String.init)
    }

    @Test("run in their places: before the dumps, after all else, and one for the outcome")
    func order() async throws {
        try await TestHost.withFiles(hasRepository: false) { host in
            host.job.lines += [
                "hooks:", "  before: [\(hook(host, "one")), \(hook(host, "two"))]", "  after: \(hook(host, "three"))",
                "  on_success: \(hook(host, "good"))", "  on_failure: \(hook(host, "bad"))",
            ]
            let dump = try await host.muster("dump", "--json")
            #expect(dump.status == .exited(0), "\(dump.errors)")
            #expect(
                try story(host) == [
                    "one before dump none none 1", "two before dump none none 1", "three after dump done 0 3",
                    "good on_success dump done 0 3",
                ])
            #expect(
                try await host.value("[(h['hook'], h['program'], 'error' in h) for h in d['hooks']]", of: dump.output)
                    == "[('before', '/bin/sh', False), ('before', '/bin/sh', False), ('after', '/bin/sh', False), ('on_success', '/bin/sh', False)]"
            )
            try await host.mustSucceed("dump", "--into", "\(host.scratch)/by-hand")
            #expect(try story(host).map { $0.split(separator: " ")[1] } == ["before", "before", "after"])
            try FileSystem.rename(host.source, to: host.scratch.appending("away"))
            #expect(try await host.muster("dump").status == .exited(3))
            #expect(
                try story(host) == [
                    "one before dump none none 3", "two before dump none none 3", "three after dump failed 3 3",
                    "bad on_failure dump failed 3 3",
                ])
        }
    }

    @Test("before a run stop it when one fails: status 3, nothing is published, and what follows runs all the same")
    func before() async throws {
        try await TestHost.withFiles { host in
            host.job.lines += [
                "hooks:", "  before: [\(hook(host, "one", status: 9)), \(hook(host, "two"))]",
                "  after: \(hook(host, "three"))",
                "  on_success: \(hook(host, "good"))", "  on_failure: \(hook(host, "bad"))",
            ]
            let run = try await host.muster("run")
            #expect(run.status == .exited(3))
            #expect(
                run.errors.hasSuffix(
                    """
                    muster: the program of hooks: before exited with status 9: /bin/sh
                      hint: Nothing was dumped. Correct the program, or take it out of hooks: before.

                    """), "\(run.errors)")
            #expect(access(host.current.string, F_OK) != 0)
            #expect(try await host.archiveNames().isEmpty)
            #expect(
                try story(host).map { $0.split(separator: " ")[0] } == ["one", "three", "bad"])
        }
    }

    @Test("after a run that fail give it status 1, and on_success that fails is warned of; neither takes the set away")
    func after() async throws {
        try await TestHost.withFiles(hasRepository: false) { host in
            let lines = host.job.lines
            host.job.lines = lines + ["hooks: {after: \(hook(host, "x", status: 1)), on_failure: \(hook(host, "bad"))}"]
            let dump = try await host.muster("dump")
            #expect(
                dump.status == .exited(1) && dump.errors.contains("the program of hooks: after exited with status 1"))
            #expect(dump.errors.hasSuffix("\nthe set is published\n"), "\(dump.errors)")
            #expect(try story(host) == ["x after dump done 0 3", "bad on_failure dump failed 1 3"])
            host.job.lines = lines + ["hooks: {on_success: [/bin/sleep, '100'], deadline: 1s}"]
            let slow = try await host.muster("dump", "--json")
            #expect(slow.status == .exited(0))
            #expect(slow.errors.contains("the program of hooks: on_success took longer than 1s"), "\(slow.errors)")
            #expect(
                try await host.value("d['hooks'][0]['error']['code'], d['outcome']", of: slow.output)
                    == "('hook_failed', 'done')")
        }
    }

    @Test("after a run take place when it is interrupted, also while a hook before it runs, which is stopped")
    func interrupted() async throws {
        try await TestHost.withFiles(hasRepository: false) { host in
            let begun = host.scratch.appending("begun")
            host.job.lines += [
                "hooks: {before: [/bin/sh, -c, 'touch \(begun); exec sleep 100'], after: \(hook(host, "three")), on_failure: \(hook(host, "bad"))}"
            ]
            let run = try host.start(["dump"])
            try await eventually { access(begun.string, F_OK) == 0 }
            run.send(SIGTERM)
            let result = try await run.result()
            #expect(
                result.status == .exited(143) && result.errors.hasSuffix("interrupted: nothing was published\n"),
                "\(result.errors)")
            #expect(
                try story(host).map { $0.split(separator: " ").prefix(4) } == [
                    ["three", "after", "dump", "interrupted"]
                ])
        }
    }
}
