import DumpCore
import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@testable import Processes

@Suite("An isolated program")
struct IsolationTests {
    /// A number that no account has.
    private static let user: UInt32 = 61_099

    private static func withRoom<Result>(
        _ user: UInt32 = user, _ body: (FilePath) async throws -> Result
    ) async throws -> Result {
        try await withScratch { scratch in
            // Closed to all: the program comes into it by no path of ours.
            let closed = scratch.appending("closed")
            let room = closed.appending("room")
            try FileSystem.createDirectory(closed)
            try FileSystem.createDirectory(room)
            guard chown(room.string, user, user) == 0 else { throw Errno(rawValue: errno) }
            return try await body(room)
        }
    }

    private static func run(
        _ script: String, in room: FilePath, by keeper: FilePath = keeperExecutable
    ) async throws -> (ProgramOutcome, String) {
        let runner = ProgramRunner(keeper: keeper, log: .silent)
        let program = Program("/bin/sh", ["-c", script], isolation: Isolation(room: room, user: user))
        let outcome = try await runner.run(program, output: .collect(limit: 1 << 20))
        return (outcome, String(decoding: outcome.output, as: UTF8.self))
    }

    @Test("is a user without an account, in its room, which it may write to")
    func user() async throws {
        try await Self.withRoom { room in
            let (outcome, said) = try await Self.run(
                "id -u; id -G; id -un; pwd; echo kept > file; cat $HOME/file", in: room)
            #expect(outcome.succeeded, "\(outcome.lastErrors)")
            #expect(said == "61099\n61099\ndrill\n/drill\nkept\n")
            #expect(try read(room.appending("file")) == "kept\n")
        }
    }

    @Test("sees the system's own directories and its room, and can write to nothing else")
    func files() async throws {
        try await Self.withRoom { room in
            let (outcome, said) = try await Self.run(
                "ls /; for d in / /usr /etc /dev; do touch $d/x 2>/dev/null && echo written $d; done; "
                    + "ls /dev/shm /tmp; cat \(room)/../../* /proc/1/status /proc/version /proc/sys/kernel/hostname 2>/dev/null",
                in: room)
            #expect(!outcome.succeeded)
            let seen = Set(said.split(separator: "\n").map(String.init))
            #expect(seen.isSuperset(of: ["dev", "drill", "etc", "tmp", "usr"]))
            #expect(seen.isDisjoint(with: ["home", "root", "run", "srv", "sys", "var"]))
            #expect(!said.contains("written"))
        }
    }

    @Test("sees its own processes, and none of other users")
    func processes() async throws {
        try await Self.withRoom { room in
            let (outcome, said) = try await Self.run(
                "readlink /proc/self/exe; [ -e /proc/1 ] && echo seen; [ -e /proc/\(getpid()) ] && echo seen", in: room)
            #expect(!outcome.succeeded && said == "/usr/bin/readlink\n", "\(said)")
        }
    }

    @Test("has no network but a loopback that is down, and none of the host's abstract sockets")
    func network() async throws {
        try await Self.withRoom { room in
            let (outcome, said) = try await Self.run("ip -brief link || cat /sys/class/net/*/operstate", in: room)
            #expect(outcome.succeeded, "\(outcome.lastErrors)")
            #expect(said.split(separator: "\n").count == 1 && said.hasPrefix("lo "), "\(said)")
        }
    }

    @Test("sees what it needs under a narrow umask too, and keeps that umask")
    func narrowMask() async throws {
        try await Self.withRoom { room in
            let keeper = room.removingLastComponent().appending("keeper")
            try write(
                "#!/bin/sh\numask 077\nexec \(keeperExecutable) \"$@\"\n", to: keeper,
                mode: FilePermissions(rawValue: 0o755))
            let (outcome, said) = try await Self.run("id -un; umask; ls -d /usr", in: room, by: keeper)
            #expect(outcome.succeeded && said == "drill\n0077\n/usr\n", "\(said) \(outcome.lastErrors)")
        }
    }

    @Test("may not get rights of root by programs that would give them, nor mounts")
    func rights() async throws {
        try await Self.withRoom { room in
            let (_, said) = try await Self.run(
                "su -c id 2>&1; mount -t tmpfs x /drill 2>&1; unshare -rm true 2>/dev/null; umount /usr 2>&1; id -u",
                in: room)
            #expect(said.hasSuffix("\n61099\n") && !said.contains("uid=0"), "\(said)")
        }
    }

    @Test("leaves no mount behind, neither here nor over its room")
    func mounts() async throws {
        try await Self.withRoom { room in
            let (outcome, _) = try await Self.run("true", in: room)
            #expect(outcome.succeeded)
            #expect(try MountTable.current().mounts(below: room.removingLastComponent()).map(\.point) == [])
            #expect(try FileSystem.names(in: room) == [])
        }
    }

    @Test("whose room is not there is not started, and the error names the room")
    func noRoom() async throws {
        try await withScratch { scratch in
            let (outcome, _) = try await Self.run("true", in: scratch.appending("none"))
            #expect(outcome.status == Isolation.refusal)
            #expect(outcome.lastErrors == "muster: cannot open \(scratch)/none: No such file or directory")
        }
    }

    @Test("ends when Muster is killed")
    func parentKilled() async throws {
        let user: UInt32 = 61_098
        try await Self.withRoom(user) { room in
            let script = """
                \(keeperExecutable) --isolate \(room) \(user) --parent $$ --grace 0 -- \
                /bin/sh -c 'trap "" TERM; sleep 1000 & echo > ready; wait' & wait
                """
            let null = try FileDescriptor.open("/dev/null", .readWrite)
            defer { close(null.rawValue) }
            let parent = try ChildProcess.start(
                ["/bin/sh", "-c", script], ["PATH": "/usr/bin:/bin"], in: "/",
                [null.rawValue, null.rawValue, null.rawValue])
            try await eventually { access(room.appending("ready").string, F_OK) == 0 }
            #expect(try Self.processes(of: user) != [])
            kill(parent.pid, SIGKILL)
            _ = parent.reap()
            try await eventually { try Self.processes(of: user) == [] }
        }
    }

    private static func processes(of user: UInt32) throws -> [String] {
        try FileSystem.names(in: "/proc").map(\.string).filter { pid in
            pid.allSatisfy(\.isNumber) && (try? FileSystem.status(of: FilePath("/proc/\(pid)")))?.uid == user
        }
    }
}
