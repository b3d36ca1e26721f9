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

    @Test("A file that another user can change is refused, with its path and mode, unless it is named as trusted")
    func exposed() async throws {
        try await withScratch { scratch in
            let conf = scratch.appending("conf")
            try FileSystem.createDirectory(conf, mode: 0o755)
            let file = conf.appending("nightly.yaml")
            func expect(_ part: FilePath, _ fault: String, sourceLocation: SourceLocation = #_sourceLocation) {
                #expect(
                    failure { try JobFile.load(file, kinds: kinds) } == """
                        \(file) is not safe from other users: \(part) \(fault)
                          hint: Give it to root and take the permission to write from others. If it is meant to be so, set \
                        MUSTER_TRUST=\(part) in the environment.
                        """, sourceLocation: sourceLocation)
            }
            try write(text, to: file, mode: FilePermissions(rawValue: 0o666))
            expect(file, "is writable by all users (mode 0666)")
            try own(file, 0, 23456, mode: 0o660)
            expect(file, "is writable by group 23456 (mode 0660)")
            try own(file, 23456, 0, mode: 0o600)
            expect(file, "belongs to user 23456 (mode 0600)")
            try own(file, 0, 0, mode: 0o600)
            try own(conf, 0, 0, mode: 0o777)
            expect(conf, "is writable by all users (mode 0777)")
            try own(conf, 0, 0, mode: 0o1777)
            _ = try JobFile.load(file, kinds: kinds)
            try own(conf, 0, 0, mode: 0o755)

            // A link leads nowhere else than its owner says.
            let real = scratch.appending("real")
            try FileSystem.rename(file, to: real)
            #expect(symlink(real.string, file.string) == 0)
            _ = try JobFile.load(file, kinds: kinds)
            #expect(lchown(file.string, 23456, 0) == 0)
            expect(file, "belongs to user 23456 (mode 0777)")
            #expect(lchown(file.string, 0, 0) == 0)
            try own(real, 23456, 0, mode: 0o600)
            expect(file, "belongs to user 23456 (mode 0600)")
        }
    }

    @Test("A file is refused that an access control list lets another user write, as far as its mask allows it")
    func exposedByAccessList() async throws {
        try await withScratch { scratch in
            let file = scratch.appending("nightly.yaml")
            try write(text, to: file)
            _ = try JobFile.load(file, kinds: kinds)
            for (entries, fault) in [
                ("u:23456:rw", "is writable by user 23456 (mode 0660)"),
                ("u:23456:r,g:23456:rw", "is writable by group 23456 (mode 0660)"),
            ] {
                try await output("setfacl", "-b", "-m", entries, file.string)
                #expect(
                    failure { try JobFile.load(file, kinds: kinds) }.hasPrefix(
                        "\(file) is not safe from other users: \(file) \(fault)"))
            }
            for harmless in ["u:23456:rw,m::r", "u:0:rw,g:0:rw"] {
                try await output("setfacl", "-b", "-m", harmless, file.string)
                _ = try JobFile.load(file, kinds: kinds)
            }
        }
    }

    @Test("A directory on the way of a user to whom the dumps are handed is told, and a file of that user's is refused")
    func exposedToDumper() async throws {
        try await withScratch { scratch in
            let conf = scratch.appending("conf")
            try FileSystem.createDirectory(conf, mode: 0o755)
            let file = conf.appending("nightly.yaml")
            try write("{staging: /s, dumps: {app: {provider: postgresql, run_as: nobody}}}", to: file)
            let user = try #require(UserAccount(named: "nobody"))
            #expect(try JobFile.load(file, kinds: kinds).exposure == nil)
            try own(conf, user.uid, 0, mode: 0o755)
            #expect(try JobFile.load(file, kinds: kinds).exposure?.path == conf)
            try own(file, user.uid, 0, mode: 0o600)
            #expect(failure { try JobFile.load(file, kinds: kinds) }.contains("\(file) belongs to user \(user.uid)"))
            try own(file, 0, 0, mode: 0o600)
            try own(conf, user.uid + 1, 0, mode: 0o755)
            #expect(failure { try JobFile.load(file, kinds: kinds) }.contains("\(conf) belongs to user"))
        }
    }

    private func own(_ path: FilePath, _ uid: uid_t, _ gid: gid_t, mode: mode_t) throws {
        try #require(chown(path.string, uid, gid) == 0 && chmod(path.string, mode) == 0)
    }

    @Test("A file that cannot be read, or is none, says so")
    func unreadable() async throws {
        try await withScratch { scratch in
            let file = scratch.appending("nightly.yaml")
            #expect(
                failure { try JobFile.load(file, kinds: kinds) }
                    == """
                    cannot read \(file): No such file or directory
                      hint: Check its name. A job in the directory for jobs needs no file: name it without .yaml.
                    """)
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
                    == "no job 'nightly' in \(scratch)\n  hint: There is no job yet; write \(scratch)/nightly.yaml.")
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
