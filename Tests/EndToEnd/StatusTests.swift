import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@Suite("muster status")
struct StatusTests {
    @Test("has one table of all jobs, the worst first, and says what is wrong with each")
    func overview() async throws {
        try await JobDirectory.with { jobs in
            try jobs.add("well")
            try jobs.add("new")
            try write("staging: /nowhere\n", to: jobs.directory.appending("broken.yaml"))
            #expect(try await jobs.muster("run well -q").status == .exited(0))
            let told = try await jobs.muster("status")
            #expect(told.status == .exited(0), "\(told.errors)")
            let lines = told.output.split(separator: "\n").map {
                $0.split(separator: " ").prefix(2).joined(separator: " ")
            }
            #expect(lines.prefix(4) == ["verdict job", "FAILED broken", "WARNING new", "OK well"], "\(told.output)")
            #expect(told.output.contains("\nnew: the job has never run\n"), "\(told.output)")
            let document = try JSONTree(try await jobs.muster("status --json").output)
            #expect(document["verdict"] == .text("failed"))
            #expect(
                document["jobs"]?.elements.map { $0["verdict"] } == [.text("failed"), .text("warning"), .text("ok")])
        }
    }

    @Test("answers monitoring programs with one line, performance data, and 0, 1, 2 or 3")
    func nagios() async throws {
        try await JobDirectory.with { jobs in
            try jobs.add("nightly")
            let new = try await jobs.muster("status --nagios")
            #expect(
                new.status == .exited(1)
                    && new.output == "MUSTER WARNING - nightly: the job has never run\nthe job has never run\n")
            #expect(try await jobs.muster("run -q").status == .exited(0))
            let good = try await jobs.muster("status nightly --nagios")
            #expect(good.status == .exited(0))
            #expect(
                good.output.wholeMatch(
                    of: /MUSTER OK - nightly: last success [0-9a-z ]+ ago \| 'age'=[0-9]+s;;;0 'd size'=[0-9]+B;;;0\n/)
                    != nil,
                "\(good.output)")
            try jobs.breakSource(of: "nightly")
            #expect(try await jobs.muster("run -q").status == .exited(3))
            let bad = try await jobs.muster("status --nagios")
            #expect(
                bad.status == .exited(2) && bad.output.hasPrefix("MUSTER CRITICAL - nightly: the last run, "),
                "\(bad.output)")
            try write("staging: /nowhere\n", to: jobs.directory.appending("nightly.yaml"))
            let unknown = try await jobs.muster("status nightly --nagios")
            #expect(unknown.status == .exited(3) && unknown.output.hasPrefix("MUSTER UNKNOWN - "), "\(unknown.output)")
        }
    }

    @Test("fails no script that asks it: it ends with 0 whatever it tells, also of a set that is no longer one")
    func told() async throws {
        try await JobDirectory.with { jobs in
            try jobs.add("nightly")
            #expect(try await jobs.muster("run -q").status == .exited(0))
            try write("{", to: jobs.scratch.pushing("staging-nightly/current/manifest.json"))
            let told = try await jobs.muster("status nightly")
            #expect(
                told.status == .exited(0) && told.output.hasPrefix("FAILED nightly: "), "\(told.output) \(told.errors)")
            try FileSystem.rename(
                jobs.scratch.pushing("staging-nightly/current"), to: jobs.scratch.appending("elsewhere"))
            let missing = try await jobs.muster("status nightly")
            #expect(
                missing.status == .exited(0) && missing.output.contains(" is no longer in "), "\(missing.output)")
        }
    }

    @Test("tells receivers once that a job never ran, and once that it is well again")
    func notices() async throws {
        try await JobDirectory.with { jobs in
            let heard = jobs.scratch.appending("heard")
            try write("", to: heard)
            let teller = jobs.scratch.appending("tell")
            try write("#!/bin/sh\necho \"$MUSTER_EVENT $MUSTER_SUBJECT\" >> \(heard)\n", to: teller)
            #expect(chmod(teller.string, 0o700) == 0)
            try jobs.add("nightly", "notify: {me: {command: [\(teller)], about: [staleness]}}\n")
            for _ in 1...2 { #expect(try await jobs.muster("status --notify --quiet").status == .exited(0)) }
            let opened = try read(heard)
            #expect(opened.hasPrefix("failure ") && opened.contains("the job has never run"), "\(opened)")
            #expect(opened.split(separator: "\n").count == 1, "\(opened)")
            #expect(try await jobs.muster("run -q").status == .exited(0))
            for _ in 1...2 { #expect(try await jobs.muster("status --all --notify --quiet").status == .exited(0)) }
            let ended = try read(heard).dropFirst(opened.count)
            #expect(ended.hasPrefix("recovery ") && ended.split(separator: "\n").count == 1, "\(ended)")
        }
    }

    @Test("tells a run's result once where it and the log lead to one place")
    func once() async throws {
        try await JobDirectory.with { jobs in
            try jobs.add("nightly")
            let apart = try await jobs.muster("run")
            #expect(
                apart.output.hasPrefix("OK nightly: 1 dump, ") && apart.output.contains("\ndump d: "), "\(apart.output)"
            )
            #expect(apart.errors.contains("notice: dump finished dump=d\n"), "\(apart.errors)")
            let together = try await jobs.muster("run 2>&1")
            #expect(together.output.contains("notice: dump finished dump=d\n"), "\(together.output)")
            #expect(together.output.contains("\nOK nightly: 1 dump, "), "\(together.output)")
            #expect(!together.output.contains("\ndump d: "), "\(together.output)")
        }
    }
}

/// A directory of jobs, each with a dump `d` of a directory of its own.
private struct JobDirectory {
    let scratch: FilePath
    var directory: FilePath { scratch.appending("jobs") }

    static func with(_ body: (JobDirectory) async throws -> Void) async throws {
        try await withScratch { scratch in
            let jobs = JobDirectory(scratch: scratch)
            try FileSystem.createDirectory(jobs.directory)
            try await body(jobs)
        }
    }

    /// - Parameter keys: more lines of its file.
    func add(_ name: String, _ keys: String = "") throws {
        let source = source(of: name)
        try FileSystem.createDirectory(source)
        try write("a letter\n", to: source.appending("letter"))
        try write(
            "staging: \(scratch)/staging-\(name)\ndumps: {d: {provider: directory, path: \(source)}}\n\(keys)",
            to: directory.appending("\(name).yaml"))
    }

    func breakSource(of name: String) throws {
        try FileSystem.rename(source(of: name), to: scratch.appending("elsewhere"))
    }

    private func source(of name: String) -> FilePath { scratch.appending("source-\(name)") }

    func muster(_ line: String) async throws -> Command.Result {
        try await Command(
            "/bin/bash", ["-c", "\"$MUSTER\" \(line)"],
            environment: [
                "MUSTER": musterExecutable.string, "MUSTER_CONFIG_DIRECTORY": directory.string,
                "XDG_STATE_HOME": scratch.string, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            ], scratch: scratch
        ).result()
    }
}
