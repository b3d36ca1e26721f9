import DumpCore
import Glibc
import Linux
import Logging
import Processes
import SystemPackage
import TestSupport
import Testing

@Suite("A hostile program")
struct HostileProgramTests {
    private let runner = ProgramRunner(keeper: keeperExecutable, log: Logger.silent)

    @Test(
        "is ended with all its descendants when it is cancelled, whatever they do against it",
        arguments: [nil, "postgres"])
    func cancelled(user: String?) async throws {
        try await withHostile("stay", as: user) { program, lock, ready in
            let task = Task { try await runner.run(program) }
            try await eventually { access(ready.string, F_OK) == 0 }
            #expect(try isHeld(lock))
            task.cancel()
            await #expect(throws: ProcessError.self) { try await task.value }
            #expect(try !isHeld(lock))
        }
    }

    @Test("leaves no descendant behind when it ends, whatever they do against it", arguments: [nil, "postgres"])
    func left(user: String?) async throws {
        try await withHostile("leave", as: user) { program, lock, _ in
            for _ in 1...5 {
                let outcome = try await runner.run(program)
                #expect(outcome.status == .exited(0))
                #expect(try !isHeld(lock))
            }
        }
    }

    @Test("that leaves a process behind which not even SIGKILL ends has failed, and the process is named")
    func unkillable() async throws {
        try await withScratch { scratch in
            try await withExt4FileSystem(in: scratch, size: "16M") { volume in
                let pid = scratch.appending("pid")
                try await output("fsfreeze", "--freeze", volume.string)
                let outcome = try await runner.run(
                    shell(
                        """
                        sh -c 'echo $$ > \(pid); exec touch \(volume)/file' &
                        until [ -s \(pid) ] && grep -q percpu /proc/$(cat \(pid))/wchan; do :; done
                        """))
                try await output("fsfreeze", "--unfreeze", volume.string)
                let left = try read(pid).dropLast()
                #expect(outcome.status == .exited(127))
                #expect(outcome.lastErrorLines == ["muster: cannot end process \(left), which /bin/bash has started"])
                try await eventually { !isAlive(pid_t(left)!) }
            }
        }
    }

    /// - Parameter body: gets the program and two files. The program holds a lock on the first until the last of its descendants has ended.
    ///   It makes the second when all of them are there.
    private func withHostile(
        _ mode: String, as user: String?, _ body: (Program, _ lock: FilePath, _ ready: FilePath) async throws -> Void
    ) async throws {
        try await withScratch { scratch in
            let (executable, shared) = (scratch.appending("hostile"), scratch.appending("shared"))
            // Where every user may run it.
            try await output("/bin/cp", hostileExecutable.string, executable.string)
            try FileSystem.createDirectory(shared, mode: 0o777)
            guard chmod(shared.string, 0o777) == 0, chmod(executable.string, 0o755) == 0 else {
                throw Errno(rawValue: errno)
            }
            let lock = shared.appending("lock")
            try write("", to: lock)
            guard chmod(lock.string, 0o666) == 0 else { throw Errno(rawValue: errno) }
            var program = Program(FilePath(executable.string), [lock.string, mode])
            program.user = user
            program.grace = .seconds(1)
            try await body(program, lock, shared.appending("lock.ready"))
        }
    }

    /// Whether a process has the lock, and so lives: the kernel gives it up with the last one.
    private func isHeld(_ lock: FilePath) throws -> Bool {
        let file = try FileDescriptor.open(lock, .readWrite, options: .closeOnExec)
        return try file.closeAfter {
            guard flock(file.rawValue, LOCK_EX | LOCK_NB) == 0 else { return true }
            // A program that another test starts at this moment has the file open too until it runs.
            return flock(file.rawValue, LOCK_UN) != 0
        }
    }

    private func shell(_ script: String) -> Program { Program("/bin/bash", ["-c", script]) }
}
