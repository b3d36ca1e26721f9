import Glibc
import Linux
import MusterConfig
import SystemPackage
import TestSupport
import Testing

@Suite("Job files")
struct JobFileTests {
    let text = "{staging: /s, dumps: {app: {provider: postgresql}}}"

    @Test("A job has the name of its file")
    func name() async throws {
        try await withScratch { scratch in
            let file = scratch.appending("nightly.v2.yaml")
            try write(text, to: file)
            let plan = try JobFile.load(file, kinds: kinds)
            #expect(plan.name == "nightly.v2")
            #expect(plan.file == file)
        }
    }

    @Test("A file whose name no archive could carry is refused")
    func badName() async throws {
        try await withScratch { scratch in
            let file = scratch.appending("my job.yaml")
            try write(text, to: file)
            #expect(
                failure { try JobFile.load(file, kinds: kinds) } == """
                    \(file) cannot be a job: expected a name of at most 64 letters, digits and . _ - that begins with a letter or \
                    digit, found 'my job'
                      hint: A job is named by its file, as it is part of the names of its archives. Rename the file.
                    """)
        }
    }

    @Test("A file that cannot be read, or is none, says so")
    func unreadable() async throws {
        try await withScratch { scratch in
            let file = scratch.appending("nightly.yaml")
            #expect(
                failure { try JobFile.load(file, kinds: kinds) } == "cannot read \(file): No such file or directory")
            #expect(failure { try JobFile.load(scratch, kinds: kinds) } == "cannot read \(scratch): Is a directory")
            let pipe = scratch.appending("pipe.yaml")
            #expect(mkfifo(pipe.string, 0o600) == 0)
            #expect(
                failure { try JobFile.load(pipe, kinds: kinds) }
                    == "cannot read \(pipe): it is not a regular file\n  hint: Write the job to a file.")
            try write(String(repeating: "#", count: 1 << 20) + "\n", to: file)
            #expect(
                failure { try JobFile.load(file, kinds: kinds) }
                    == "\(file) is larger than 1.00 MiB\n  hint: This is not a job file.")
        }
    }

    @Test("Mistakes of a file are named with its path, and counted for those who want one line")
    func mistakesOfFile() async throws {
        try await withScratch { scratch in
            let file = scratch.appending("nightly.yaml")
            try write("{staging: /s, dumps: {app: {provider: postgresql, x: 1, y: 2}}}", to: file)
            let error = try #require(throws: ConfigurationError.self) { try JobFile.load(file, kinds: kinds) }
            #expect(error.message == "\(file) has 2 mistakes")
            #expect(error.codeName == "job_invalid")
            #expect(error.diagnostics.map(\.path.description) == ["dumps.app", "dumps.app"])
            #expect(error.description.hasPrefix("\(file):1:51: unknown key 'x' in dumps.app\n"))
        }
    }

    @Test("A job is found by its name, whatever its form, unless there are two")
    func find() async throws {
        try await withScratch { scratch in
            for name in ["nightly.yaml", "weekly.json", "old.yml", "README.txt", "secrets", "my job.yaml"] {
                try write(text, to: scratch.appending(name))
            }
            #expect(try JobFile.find(job: "nightly", in: scratch) == scratch.appending("nightly.yaml"))
            #expect(try JobFile.find(job: "weekly", in: scratch) == scratch.appending("weekly.json"))
            #expect(try JobFile.jobs(in: scratch) == ["nightly", "old", "weekly"])
            #expect(
                failure { try JobFile.find(job: "nigthly", in: scratch) } == """
                    no job 'nigthly' in \(scratch)
                      hint: Did you mean 'nightly'? There are nightly, old, weekly.
                    """)
            #expect(
                failure { try JobFile.find(job: "../etc/x", in: scratch) } == """
                    no such job: expected a name of at most 64 letters, digits and . _ - that begins with a letter or digit, \
                    found '../etc/x'
                      hint: To name a file, use --config FILE.
                    """)
            try write(text, to: scratch.appending("nightly.json"))
            #expect(
                failure { try JobFile.find(job: "nightly", in: scratch) } == """
                    job 'nightly' has 2 files: nightly.json, nightly.yaml
                      hint: Keep one of them in \(scratch).
                    """)
        }
    }

    @Test("Where there is no job at all, it is said where to write it")
    func noJobs() async throws {
        try await withScratch { scratch in
            #expect(
                failure { try JobFile.find(job: "nightly", in: scratch) }
                    == "no job 'nightly' in \(scratch)\n  hint: There is no job at all; write \(scratch)/nightly.yaml.")
            let missing = scratch.appending("missing")
            #expect(
                failure { try JobFile.find(job: "nightly", in: missing) } == """
                    cannot look for jobs in \(missing): No such file or directory
                      hint: Jobs are \(missing)/NAME.yaml; to name another file, use --config FILE.
                    """)
        }
    }

    @Test("The directory of jobs can be set in the environment")
    func directory() {
        #expect(JobFile.directory { $0 == "MUSTER_CONFIG_DIRECTORY" ? "/srv/jobs" : nil } == "/srv/jobs")
        #expect(JobFile.directory { _ in "" } == "/etc/muster")
        #expect(JobFile.directory { _ in nil } == "/etc/muster")
    }

    private func failure(_ body: () throws -> some Any) -> String {
        do {
            _ = try body()
            return ""
        } catch {
            return "\(error)"
        }
    }
}
