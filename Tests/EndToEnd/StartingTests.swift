import Glibc
import SystemPackage
import TestSupport
import Testing

/// A job that dumps a small directory: it needs no server, and no program.
struct SmallJob {
    let scratch: FilePath
    var file: FilePath { scratch.appending("job.yaml") }
    var source: FilePath { scratch.appending("source") }
    var staging: FilePath { scratch.appending("staging") }
    var isPublished: Bool { access(staging.appending("current/manifest.json").string, F_OK) == 0 }

    static func with(_ body: (SmallJob) async throws -> Void) async throws {
        try await withScratch { scratch in
            let job = SmallJob(scratch: scratch)
            mkdir(job.source.string, 0o700)
            try write("a letter\n", to: job.source.appending("letter"))
            try write(
                "staging: \(job.staging)\ndumps: {d: {provider: directory, path: \(job.source)}}\n", to: job.file)
            try await body(job)
        }
    }

    /// Starts what a shell is told, with muster and the job file in `$MUSTER` and `$JOB`.
    func start(_ line: String, environment: [String: String] = [:]) throws -> Command {
        let variables = [
            "MUSTER": musterExecutable.string, "JOB": file.string,
            "PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        ]
        return try Command(
            "/bin/bash", ["-c", line], environment: variables.merging(environment) { $1 }, scratch: scratch)
    }

    func run(_ line: String) async throws -> Command.Result { try await start(line).result() }
}

@Suite("Started under odd conditions, muster")
struct StartingTests {
    @Test(
        "ends with 1 and says why when its result cannot be written, whatever the command did",
        arguments: [
            "config schema", "config show $JOB", "config check --json $JOB", "status --config $JOB",
            "status --json --config $JOB", "dump --config $JOB", "dump --json --config $JOB",
            "check --json --config $JOB",
        ])
    func fullOutput(command: String) async throws {
        try await SmallJob.with { job in
            let result = try await job.run("exec \"$MUSTER\" \(command) >/dev/full")
            #expect(result.status == .exited(1))
            #expect(
                result.errors.contains(
                    "muster: cannot write the result to standard output: No space left on device\n"))
        }
    }

    @Test(
        "takes a closed standard output for a lost result where the result was what was asked for",
        arguments: ["config schema", "status --config $JOB", "dump --json --config $JOB"])
    func closedOutput(command: String) async throws {
        try await SmallJob.with { job in
            let result = try await job.run("exec \"$MUSTER\" \(command) >&-")
            #expect(result.status == .exited(1))
            #expect(
                result.errors.contains("muster: cannot write the result to standard output: Bad file descriptor\n"))
        }
    }

    @Test(
        "dumps as usual without standard input, output or errors, as daemons start it",
        arguments: ["<&-", ">&-", "2>&-", "<&- >&-", "<&- 2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
    func closedDescriptors(closing: String) async throws {
        try await SmallJob.with { job in
            for command in ["dump", "check"] {
                let result = try await job.run("exec \(closing); exec \"$MUSTER\" \(command) --config \"$JOB\"")
                #expect(result.status == .exited(0), "\(command)")
            }
            #expect(job.isPublished)
        }
    }

    @Test("says what is missing without /proc, and does not take the lost command line for a question for help")
    func noProc() async throws {
        try await SmallJob.with { job in
            let result = try await job.run(
                "exec unshare -m sh -c 'mount -t tmpfs none /proc; exec \"$MUSTER\" dump --config \"$JOB\"'")
            #expect(result.status == .exited(1))
            #expect(result.output == "")
            #expect(
                result.errors == """
                    muster: cannot find out where muster is installed: /proc/self/exe: No such file or directory
                      hint: Mount /proc: muster finds its own programs, mounts and processes there.

                    """)
        }
    }

    @Test("finds its command line though a preloaded library has moved the environment")
    func preloaded() async throws {
        try await SmallJob.with { job in
            let library = job.scratch.appending("preloaded.so")
            let built = try await job.run(
                """
                echo '#include <stdlib.h>
                __attribute__((constructor)) static void set(void) { setenv("A_NEW_VARIABLE", "1", 1); }' |
                    cc -shared -fPIC -x c -o \(library) -
                """)
            try #require(built.status == .exited(0), "\(built.errors)")
            let result = try await job.run("LD_PRELOAD=\(library) exec \"$MUSTER\" dump --config \"$JOB\"")
            #expect(result.status == .exited(0), "\(result.errors)")
            #expect(job.isPublished)
        }
    }

    @Test(
        "refuses limits that its runtime would crash under",
        arguments: [
            ("-n 20", "may have only 20 files open, and needs 64: raise 'ulimit -n', or LimitNOFILE= of the unit"),
            ("-v 98304", "may use only 96 MiB of memory, and needs 256: raise 'ulimit -v'"),
            ("-d 10240", "may use only 10 MiB of memory, and needs 64: raise 'ulimit -d'"),
        ])
    func limits(limit: String, message: String) async throws {
        try await SmallJob.with { job in
            let result = try await job.run("ulimit \(limit); exec \"$MUSTER\" dump --config \"$JOB\"")
            #expect(result.status == .exited(1))
            #expect(result.errors == "muster: \(message)\n")
        }
    }

    @Test("names the least kernel where there are no descriptors of processes")
    func oldKernel() async throws {
        try await SmallJob.with { job in
            let result = try await job.run(
                "exec strace -f -o /dev/null -e inject=pidfd_open:error=ENOSYS \"$MUSTER\" dump --config \"$JOB\"")
            #expect(result.status == .exited(1))
            #expect(
                result.errors == """
                    muster: cannot watch over programs: pidfd_open: Function not implemented
                      hint: Muster needs Linux 5.3 or newer, and in a container a seccomp profile that allows pidfd_open.

                    """)
        }
    }

    @Test("says so where there is no room for a thread, and does not wait for one")
    func noThreads() async throws {
        try await SmallJob.with { job in
            let result = try await job.run(
                "exec strace -f -o /dev/null -e inject=clone3:error=EAGAIN \"$MUSTER\" dump --config \"$JOB\"")
            #expect(result.status == .exited(1))
            #expect(
                result.errors == """
                    muster: cannot start a thread: the limits on memory or on processes (ulimit, MemoryMax=, TasksMax=) are too low: \
                    Resource temporarily unavailable

                    """)
        }
    }

    @Test("leaves no core file, of itself or of its programs")
    func coreFiles() async throws {
        try await SmallJob.with { job in
            let run = try job.start(
                "ulimit -c unlimited; exec \"$MUSTER\" dump --config \"$JOB\"",
                environment: ["MUSTER_STOP_AT": "published"])
            try #require(await run.stopped())
            let limits = try read(FilePath("/proc/\(run.pid)/limits")).split(separator: "\n")
            let core = try #require(limits.first { $0.hasPrefix("Max core file size") })
            #expect(core.split(separator: " ").dropFirst(4).first == "0")
            run.send(SIGCONT)
            #expect(try await run.result().status == .exited(0))
        }
    }
}

@Suite("A run that is told to stop")
struct StoppingTests {
    @Test("by SIGHUP under nohup goes on")
    func nohup() async throws {
        try await SmallJob.with { job in
            let run = try job.start(
                "trap '' HUP; exec \"$MUSTER\" dump --config \"$JOB\"", environment: ["MUSTER_STOP_AT": "frozen"])
            try #require(await run.stopped())
            run.send(SIGHUP)
            run.send(SIGCONT)
            #expect(try await run.result().status == .exited(0))
            #expect(job.isPublished)
        }
    }

    @Test("ends though no process reads what it writes to standard error", .timeLimit(.minutes(2)))
    func stalledReader() async throws {
        try await SmallJob.with { job in
            let pipe = job.scratch.appending("pipe")
            try #require(mkfifo(pipe.string, 0o600) == 0)
            let stalled = open(pipe.string, O_RDWR | O_NONBLOCK | O_CLOEXEC)
            try #require(stalled >= 0)
            defer { close(stalled) }
            let block = [UInt8](repeating: UInt8(ascii: "x"), count: 4096)
            while write(stalled, block, block.count) > 0 {}
            let run = try job.start("exec \"$MUSTER\" dump -vv --config \"$JOB\" 2>\(pipe)")
            try await eventually { access(job.staging.appending("lock").string, F_OK) == 0 }
            run.send(SIGTERM)
            #expect(try await run.result().status == .exited(128 + SIGTERM))
        }
    }

    @Test("ends though a file that another process leases keeps it waiting", .timeLimit(.minutes(2)))
    func leasedFile() async throws {
        try await SmallJob.with { job in
            let holder = try job.start(
                """
                exec python3 -c 'import fcntl, signal, sys
                signal.signal(signal.SIGIO, signal.SIG_IGN)
                file = open(sys.argv[1], "r+")
                fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
                open(sys.argv[1] + ".leased", "w").close()
                signal.pause()' \(job.source.appending("letter"))
                """)
            try await eventually { access(job.source.appending("letter.leased").string, F_OK) == 0 }
            let run = try job.start("exec \"$MUSTER\" dump --config \"$JOB\"")
            try await eventually { try read("/proc/locks").contains("BREAKING") }
            run.send(SIGTERM)
            let result = try await run.result()
            holder.send(SIGKILL)
            _ = try await holder.result()
            #expect(result.status == .exited(128 + SIGTERM))
            #expect(
                result.errors.hasSuffix("muster: ended, because something that it waits for does not respond\n"),
                "\(result.errors)")
        }
    }
}
