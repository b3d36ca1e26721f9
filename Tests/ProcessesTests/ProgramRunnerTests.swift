import DumpCore
import Glibc
import Linux
import Logging
import Processes
import SystemPackage
import TestSupport
import Testing

@Suite("Programs")
struct ProgramRunnerTests {
    let runner = ProgramRunner(
        keeper: keeperExecutable, log: Logger.silent)

    @Test("A bad status is a value, with the last lines of standard error")
    func badStatus() async throws {
        let outcome = try await runner.run(shell("echo one >&2; echo two >&2; exit 7"))
        #expect(outcome.status == .exited(7))
        #expect(outcome.lastErrorLines == ["one", "two"])
    }

    @Test("A program ended by a signal is told apart from one that exits")
    func signal() async throws {
        let outcome = try await runner.run(shell("kill -9 $$"))
        #expect(outcome.status == .signaled(SIGKILL))
    }

    @Test("Standard output is collected up to its limit, and more is an error")
    func collect() async throws {
        let outcome = try await runner.run(shell("printf hello"), output: .collect(limit: 5))
        #expect(outcome.output == Array("hello".utf8))
        await #expect(throws: ProcessError.self) {
            _ = try await runner.run(shell("printf hello"), output: .collect(limit: 4))
        }
    }

    @Test("Standard output comes in pieces with every byte as it was, lines or not")
    func pieces() async throws {
        let got = Recorded<[UInt8]>()
        let outcome = try await runner.run(
            shell("printf 'a\\0b\\377\\n'; head -c 300000 /dev/zero"), output: .pieces { got.append(Array($0)) })
        #expect(outcome.succeeded)
        #expect(Array(got.all.joined()) == Array("a\0b".utf8) + [0xff, 0x0a] + [UInt8](repeating: 0, count: 300_000))
    }

    @Test("A program that was handed a secret finds it in memory: not in its arguments, not in its environment")
    func secretInMemory() async throws {
        let secret = Secret("hunter2-\(getpid())")
        var program = shell("cat $PGPASSFILE; stat -L -c '%a %U' $PGPASSFILE; cat; tr '\\0' '\\n' </proc/$$/environ")
        program.secrets = [.file(namedBy: "PGPASSFILE", secret)]
        let lines = try await output(program)
        #expect(lines.first == "\(secret.reveal())600 root")
        #expect(lines.dropFirst().allSatisfy { !$0.contains(secret.reveal()) })
        #expect(lines.contains("PGPASSFILE=/proc/self/fd/10"))

        program = shell("cat <&$BORG_PASSPHRASE_FD")
        program.secrets = [.descriptor(namedBy: "BORG_PASSPHRASE_FD", secret)]
        #expect(try await output(program) == [secret.reveal()])
    }

    @Test("A program can be handed several secrets, long ones too, and its standard input besides")
    func severalSecrets() async throws {
        let long = String(repeating: "0123456789", count: 20_000)
        let input = ProgramInput()
        var program = shell("cat $ONE; read -r word; echo \"$word\"; cat $TWO | md5sum | cut -c1-32; cat <&$THREE; cat")
        program.secrets = [
            .file(namedBy: "ONE", Secret("first\n")), .file(namedBy: "TWO", Secret(long)),
            .descriptor(namedBy: "THREE", Secret("third\n")),
        ]
        program.input = input
        let told = Recorded<String>()
        _ = try await runner.run(
            program,
            output: .lines { line in
                told.append(line)
                if line == "first" { input.send("go on") }
                if line == "third" { input.close() }
            })
        #expect(told.all == ["first", "go on", "bcc4bfca43786497d970f7d3e2fdd455", "third"])
    }

    @Test("A program that must end alone fails when it leaves a process behind, which is named and ended")
    func endsAlone() async throws {
        var program = shell("sleep 1000 & echo $!")
        program.endsAlone = true
        let outcome = try await runner.run(program, output: .collect(limit: 100))
        #expect(outcome.status == Program.leftProcess)
        let pid = try #require(Int32(String(decoding: outcome.output.dropLast(), as: UTF8.self)))
        #expect(outcome.lastErrors.contains("left process \(pid) running"))
        #expect(kill(pid, 0) != 0)
        // What ends a moment later was not left.
        program.arguments = ["-c", "sleep 0.1 &"]
        #expect(try await runner.run(program).succeeded)
    }

    @Test("A program of another user reads its secret and writes to a directory that it cannot reach by path")
    func otherUser() async throws {
        try await withScratch { scratch in
            let closed = scratch.appending("closed")
            let handed = closed.appending("handed")
            try FileSystem.createDirectory(closed)
            try FileSystem.createDirectory(handed)
            let account = try #require(UserAccount(named: "postgres"))
            #expect(chown(handed.string, account.uid, account.gid) == 0)
            var program = shell(
                "id -un; echo $HOME; cat $PGPASSFILE; (echo written > \(Program.directoryPath)/file); ls \(closed)")
            program.user = account.name
            program.directory = handed
            program.secrets = [.file(namedBy: "PGPASSFILE", Secret("s3\n"))]
            let outcome = try await runner.run(program, output: .collect(limit: 1000))
            #expect(String(decoding: outcome.output, as: UTF8.self) == "postgres\n\(account.home)\ns3\n")
            #expect(outcome.status == .exited(2), "the shell's ls must not reach the closed directory")
            #expect(try read(handed.appending("file")) == "written\n")
        }
    }

    @Test("No variable of ours reaches a program unless it is asked for, and never a password")
    func filteredEnvironment() async {
        // In a process of its own: the environment belongs to all tests.
        await #expect(processExitsWith: .success) {
            setenv("PGPASSWORD", "leak", 1)
            setenv("PGAPPNAME", "wanted", 1)
            setenv("MUSTER_TEST_UNWANTED", "leak", 1)
            // As characters, `=` and the mark after it are one, and the name would end at the next.
            setenv("BORG_PASSPHRASE", "\u{301}leak=", 1)
            var program = Program("/bin/bash", ["-c", "env"])
            program.inheritedPrefixes = ["PG", "BORG_"]
            program.environment = ["EXTRA": "1"]
            let lines = try await ProgramRunnerTests().output(program)
            #expect(lines.contains("PGAPPNAME=wanted"))
            #expect(lines.contains("EXTRA=1"))
            #expect(lines.contains("LC_ALL=C.UTF-8"))
            #expect(!lines.contains { $0.contains("leak") })
        }
    }

    @Test("Cancelling stops the program and everything it started, even what ignores SIGTERM or left its session")
    func cancelStopsAll() async throws {
        try await withScratch { scratch in
            let pids = scratch.appending("pids")
            var program = shell(
                """
                (trap '' TERM; echo $BASHPID >> \(pids); while :; do sleep 0.1; done) &
                setsid sh -c 'echo $$ >> \(pids); exec sleep 1000' &
                echo $$ >> \(pids)
                wait
                """)
            program.grace = .seconds(1)
            let running = program
            let task = Task { try await runner.run(running) }
            try await eventually { (try? read(pids).split(separator: "\n").count) == 3 }
            task.cancel()
            await #expect(throws: ProcessError.self) { try await task.value }
            for pid in try read(pids).split(separator: "\n") { #expect(!isAlive(pid_t(pid)!)) }
        }
    }

    @Test("Cancelling lets what the program has started end in good order too, after the program itself")
    func cancelStopsInOrder() async throws {
        try await withScratch { scratch in
            let (started, ended) = (scratch.appending("started"), scratch.appending("ended"))
            // Like pg_dumpall, which ends at once, and its pg_dump, which has the server cancel its statement first.
            let program = shell(
                """
                (trap 'sleep 0.05; echo in order > \(ended); exit' TERM; touch \(started); while :; do sleep 0.01; done) &
                exec sleep 1000
                """)
            let task = Task { try await runner.run(program) }
            try await eventually { access(started.string, F_OK) == 0 }
            task.cancel()
            await #expect(throws: ProcessError.self) { try await task.value }
            #expect(try read(ended) == "in order\n")
        }
    }

    @Test("Cancelling ends a program that has left its group, has undone its death signal, and ignores SIGTERM")
    func hostileProgram() async throws {
        try await withScratch { scratch in
            let pid = scratch.appending("pid")
            var program = Program(
                "/usr/bin/python3",
                [
                    "-c",
                    """
                    import ctypes, os, signal, sys
                    signal.signal(signal.SIGTERM, signal.SIG_IGN)
                    ctypes.CDLL(None).prctl(1, 0, 0, 0, 0)
                    os.setpgid(0, os.getpgid(os.getppid()))
                    with open(sys.argv[1] + ".new", "w") as file: file.write(str(os.getpid()))
                    os.rename(sys.argv[1] + ".new", sys.argv[1])
                    while True: signal.pause()
                    """, pid.string,
                ])
            program.grace = .seconds(1)
            let running = program
            let task = Task { try await runner.run(running) }
            try await eventually { access(pid.string, F_OK) == 0 }
            task.cancel()
            await #expect(throws: ProcessError.self) { try await task.value }
            #expect(!isAlive(pid_t(try read(pid))!))
        }
    }

    @Test("A program of another user gets no new privileges and no capability, and none leaves a core file")
    func privileges() async throws {
        var program = shell("grep -E '^(NoNewPrivs|Cap(Prm|Eff|Amb))' /proc/self/status; ulimit -c")
        program.user = "postgres"
        #expect(
            try await output(program) == [
                "CapPrm:\t0000000000000000", "CapEff:\t0000000000000000", "CapAmb:\t0000000000000000", "NoNewPrivs:\t1",
                "0",
            ])
    }

    @Test("A keeper whose wait is interrupted tells how the program ended all the same")
    func interruptedWait() async throws {
        let outcome = try await runner.run(
            shell(
                // The address sanitizer looks for leaks in the end, which it cannot do where strace is.
                "export ASAN_OPTIONS=detect_leaks=0; exec strace -f -o /dev/null -e inject=wait4:error=EINTR:when=1 "
                    + "/bin/bash -c '\(keeperExecutable) --parent $$ --grace 1000 -- /bin/sh -c \"exit 7\"; exit $?'"))
        #expect(outcome.status == .exited(7))
    }

    @Test("A keeper that cannot hear of its program's end says so and does not start it")
    func deafKeeper() async throws {
        // The keeper takes the place of the process that strace starts, whose parent is strace.
        let outcome = try await runner.run(
            shell(
                """
                exec strace -o /dev/null -e inject=signalfd4:error=EIO /bin/bash -c 'exec \(keeperExecutable) \
                    --parent $PPID --grace 1000 -- /bin/sh -c "exit 7"'
                """))
        #expect(outcome.status == .exited(127))
        #expect(outcome.lastErrorLines == ["muster: cannot wait for signals: Input/output error"])
    }

    @Test("What a program leaves behind when it ends is ended too")
    func leftovers() async throws {
        try await withScratch { scratch in
            let pid = scratch.appending("pid")
            let outcome = try await runner.run(
                shell(
                    "setsid sh -c 'echo $$ > \(pid).new; mv \(pid).new \(pid); exec sleep 1000' & until [ -e \(pid) ]; do :; done"
                ))
            #expect(outcome.succeeded)
            #expect(!isAlive(pid_t(try read(pid).dropLast())!))
        }
    }

    @Test("A program is stopped in good order when its parent is killed")
    func parentKilled() async throws {
        try await withScratch { scratch in
            let (parentPID, childPID, stopped) = (
                scratch.appending("p"), scratch.appending("c"), scratch.appending("s")
            )
            // The inner keeper works for a shell that kills itself; the outer runner only waits for the shell.
            let inner =
                "\(keeperExecutable) --parent $$ --grace 60000 -- /bin/sh -c "
                + "'trap \"echo term > \(stopped); exit\" TERM; echo $$ > \(childPID); while :; do sleep 0.1; done' &"
            let outcome = try await runner.run(
                shell(
                    "sh -c 'echo $$ > \(parentPID); exec sleep 1000' & \(inner) until [ -s \(childPID) ]; do :; done; kill -9 $$"
                ))
            #expect(outcome.status == .signaled(SIGKILL))
            #expect(!isAlive(pid_t(try read(childPID).dropLast())!))
        }
    }

    @Test("A missing program is an error before anything runs")
    func missing() {
        #expect(throws: ProcessError.self) { try Executables.find("no-such-program") }
        #expect(throws: ProcessError.self) { try Executables.find("/etc/passwd") }
    }

    private func shell(_ script: String) -> Program { Program("/bin/bash", ["-c", script]) }

    fileprivate func output(_ program: Program) async throws -> [String] {
        let outcome = try await runner.run(program, output: .collect(limit: 1 << 20))
        return String(decoding: outcome.output, as: UTF8.self).split(separator: "\n").map(String.init)
    }
}
