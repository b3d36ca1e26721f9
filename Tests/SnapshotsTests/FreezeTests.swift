import DumpCore
import Glibc
import Linux
import Processes
import SystemPackage
import TestSupport
import Testing

@testable import Snapshots

/// An application that is frozen while a file is there, and that counts how often it was thawed.
private struct Application: Sendable {
    let scratch: FilePath
    let host: SnapshotHost
    let frozen: FilePath
    let thaws: FilePath

    init(_ scratch: FilePath) throws {
        self.scratch = scratch
        host = SnapshotHost(scratch: scratch)
        frozen = scratch.appending("frozen")
        thaws = scratch.appending("thaws")
    }

    var freezeCommand: [String] { ["/usr/bin/touch", frozen.string] }
    var thawCommand: [String] { ["/bin/sh", "-c", "rm -f '\(frozen)' && echo thawed >> '\(thaws)'"] }

    func freeze(
        _ freeze: [String]? = nil, thaw: [String]? = nil, deadline: Duration = .seconds(600)
    ) -> ApplicationFreeze {
        ApplicationFreeze(
            freeze: freeze ?? freezeCommand, thaw: thaw ?? thawCommand, deadline: deadline,
            lock: scratch.appending("freeze-lock"), runner: ProgramRunner(keeper: keeperExecutable, log: .silent))
    }

    var isFrozen: Bool { access(frozen.string, F_OK) == 0 }

    func timesThawed() -> Int { ((try? read(thaws)) ?? "").split(separator: "\n").count }

    /// What holds this application.
    func holders() throws -> [pid_t] {
        try RunningProcess.mentioning("--freeze-for", thaws.string).map(\.pid)
    }

    /// Everything that would freeze it, or thaw it.
    func processes() throws -> [pid_t] { try RunningProcess.mentioning(frozen.string).map(\.pid) }
}

@Suite("A frozen application")
struct FreezeTests {
    @Test("is thawed once at the end, and neither holder nor record is left")
    func ordinary() async throws {
        try await withScratch { scratch in
            let application = try Application(scratch)
            let freeze = application.freeze()
            try await freeze.examine()
            try await freeze.begin(in: application.host.context())
            #expect(application.isFrozen)
            #expect(try application.holders().count == 1)
            #expect(application.host.journal.open.map(\.kind) == ["application_freeze"])
            try await freeze.end()
            #expect(!application.isFrozen)
            #expect(application.timesThawed() == 1)
            #expect(try application.holders() == [])
            #expect(application.host.journal.open == [])
            try await freeze.end()
            #expect(application.timesThawed() == 1)
        }
    }

    @Test("is thawed when the time is up, and the end says so")
    func deadline() async throws {
        try await withScratch { scratch in
            let application = try Application(scratch)
            let freeze = application.freeze(deadline: .seconds(15))
            try await freeze.begin(in: application.host.context())
            // More than once where the freeze took as long as that.
            try await eventually { !application.isFrozen && application.timesThawed() > 0 }
            let error = await #expect(throws: DumpError.self) { try await freeze.end() }
            #expect(
                error?.description == """
                    the application was thawed after 15s, before all snapshots were taken
                      hint: Find out what took so long, or give it more time in the job file.
                    """)
            #expect(application.host.journal.open == [])
        }
    }

    @Test(
        "is thawed at once when Muster is killed, and by what is on record",
        arguments: [("freeze.recorded", 0), ("freeze.made", 1), ("freeze.undone", 1)])
    func killed(point: String, thaws: Int) async throws {
        try await withScratch { scratch in
            let application = try Application(scratch)
            let journal = FileJournal(in: scratch)
            let killer = try StoppedProcess(scratch: scratch) { kill($0, SIGKILL) }
            await #expect(processExitsWith: .signal(SIGKILL)) { [scratch = scratch.string as String, point] in
                try stopThisProcess(at: point, scratch: scratch)
                try await FreezeTests.freezeAndThaw(in: FilePath(scratch))
            }
            try killer.finish()
            try await eventually { application.timesThawed() == thaws }
            try await eventually { try application.holders().isEmpty }
            #expect(!application.isFrozen)
            // The next run thaws once more, which does no harm.
            let records = try await journal.records()
            #expect(records.map(\.kind) == ["application_freeze"])
            try await application.freeze().undo(records[0], in: application.host.context())
            #expect(application.timesThawed() == thaws + 1)
        }
    }

    @Test("is thawed when Muster is killed while the freeze command is at work, which cannot freeze it later")
    func killedWhileItFreezes() async throws {
        try await withScratch { scratch in
            let application = try Application(scratch)
            await #expect(processExitsWith: .signal(SIGKILL)) { [scratch = scratch.string as String] in
                let application = try Application(FilePath(scratch))
                let slow = "trap '' TERM; kill -KILL \(getpid()); sleep 1; touch '\(application.frozen)'"
                try await application.freeze(["/bin/sh", "-c", slow]).begin(in: application.host.context())
            }
            try await eventually { try application.processes().isEmpty }
            #expect(!application.isFrozen)
            #expect(application.timesThawed() == 1)
        }
    }

    @Test("is thawed when the freeze does not come to an end in time, also while Muster sleeps")
    func freezesTooLongUnseen() async throws {
        try await withScratch { scratch in
            let application = try Application(scratch)
            let sleeper = try StoppedProcess(scratch: scratch) { muster in
                defer { kill(muster, SIGKILL) }
                let isThawed = { !application.isFrozen && application.timesThawed() > 0 }
                for _ in 0..<6000 where !isThawed() { usleep(10_000) }
                guard isThawed() else { throw HostError(description: "it stayed frozen") }
            }
            await #expect(processExitsWith: .signal(SIGKILL)) { [scratch = scratch.string as String] in
                try stopThisProcess(at: "nowhere", scratch: scratch)
                let application = try Application(FilePath(scratch))
                let slow =
                    "kill -STOP \(getpid()); touch '\(application.frozen)'; sleep 1000; touch '\(application.frozen)'"
                try await application.freeze(["/bin/sh", "-c", slow], deadline: .seconds(6)).begin(
                    in: application.host.context())
            }
            try sleeper.finish()
            try await eventually { try application.processes().isEmpty }
            #expect(!application.isFrozen)
        }
    }

    @Test(
        "is held by what the freeze command leaves running, until after the thaw, and what the thaw command starts stays"
    )
    func sessions() async throws {
        try await withScratch { scratch in
            let application = try Application(scratch)
            let (session, service) = (scratch.appending("session"), scratch.appending("service"))
            let freeze = application.freeze(
                // The client of a shell that is stopped with the thaw, and that writes meanwhile.
                [
                    "/bin/bash", "-c",
                    "setsid bash -ec 'sleep 0.2; echo notice >&2; echo $BASHPID > \(session); exec sleep 1000' &",
                ],
                thaw: [
                    "/bin/sh", "-c",
                    "kill -0 $(cat '\(session)') && \(application.thawCommand[2]); setsid sleep 1000 & echo $! > '\(service)'",
                ])
            try write("", to: application.frozen)
            try await freeze.begin(in: application.host.context())
            try await eventually { (try? read(session))?.hasSuffix("\n") == true }
            let held = try #require(pid_t(try read(session).dropLast()))
            #expect(isAlive(held))
            try await freeze.end()
            #expect(application.timesThawed() == 1, "the session lived then")
            #expect(!isAlive(held))
            let started = try #require(pid_t(try read(service).dropLast()))
            #expect(isAlive(started))
            kill(started, SIGKILL)
        }
    }

    @Test("was not held by a session that has ended meanwhile, and the end says so")
    func sessionEnded() async throws {
        try await withScratch { scratch in
            let application = try Application(scratch)
            let pid = scratch.appending("pid")
            let freeze = application.freeze(["/bin/sh", "-c", "sleep 1000 & echo $! > '\(pid)'"])
            try await freeze.begin(in: application.host.context())
            let session = try #require(pid_t(try read(pid).dropLast()))
            let holder = try #require(try application.holders().first)
            try await eventually { try isHolding(holder) }
            kill(session, SIGKILL)
            try await eventually { !isAlive(session) }
            let error = await #expect(throws: DumpError.self) { try await freeze.end() }
            #expect(error?.message.hasPrefix("the process that freeze_command left running ended before") == true)
            #expect(application.timesThawed() == 1)
            #expect(application.host.journal.open == [])
        }
    }

    @Test("is frozen or thawed by nobody else of its job meanwhile", arguments: ["freeze", "undo"])
    func exclusive(other: String) async throws {
        try await withScratch { scratch in
            let application = try Application(scratch)
            let log = scratch.appending("log")
            let commands = ["freeze", "thaw"].map {
                ["/bin/sh", "-c", "echo \($0) >> '\(log)'; : \(application.thaws)"]
            }
            let (first, second) = (
                application.freeze(commands[0], thaw: commands[1]), application.freeze(commands[0], thaw: commands[1])
            )
            try await first.begin(in: application.host.context())
            let holder = try #require(try application.holders().first)
            let left = try #require(application.host.journal.open.first)
            let waiting = Task {
                guard other == "freeze" else { return try await second.undo(left, in: application.host.context()) }
                try await second.begin(in: application.host.context())
                try await second.end()
            }
            try await eventually { try application.holders().count == 2 }
            // It looks again and again whether the lock is free: a holder that had it would sleep once.
            let late = try #require(try application.holders().first { $0 != holder })
            let before = try timesAsleep(late)
            try await eventually { try timesAsleep(late) > before + 10 }
            #expect(try read(log) == "freeze\n")
            try await first.end()
            try await waiting.value
            #expect(try read(log) == (other == "freeze" ? "freeze\nthaw\nfreeze\nthaw\n" : "freeze\nthaw\nthaw\n"))
            #expect(try application.holders() == [])
        }
    }

    @Test("was held long enough when all was taken before the deadline, though the thaw takes longer")
    func slowThaw() async throws {
        try await withScratch { scratch in
            let application = try Application(scratch)
            let freeze = application.freeze(
                thaw: ["/bin/sh", "-c", "sleep 145; \(application.thawCommand[2])"], deadline: .seconds(150))
            try await freeze.begin(in: application.host.context())
            // With the thaw more than the deadline, and by itself so much less that a busy machine has time to get here.
            try await Task.sleep(for: .seconds(10))
            try await freeze.end()
            #expect(!application.isFrozen && application.timesThawed() == 1)
        }
    }

    @Test("whose thaw command fails each time fails the run, says how it failed, and stays on record")
    func thawFailsAlways() async throws {
        try await withScratch { scratch in
            let application = try Application(scratch)
            let freeze = application.freeze(
                thaw: ["/bin/sh", "-c", "exit 7; rm '\(application.frozen)'"], deadline: .seconds(3))
            try await freeze.begin(in: application.host.context())
            let error = await #expect(throws: DumpError.self) { try await freeze.end() }
            #expect(error?.message == "thaw_command exited with status 7")
            #expect(application.host.journal.open.map(\.kind) == ["application_freeze"])
        }
    }

    @Test("whose thaw command hangs fails the run, in the end, and stays on record")
    func thawHangs() async throws {
        try await withScratch { scratch in
            let application = try Application(scratch)
            let freeze = application.freeze(
                thaw: ["/bin/sh", "-c", "sleep 1000; rm '\(application.frozen)'"], deadline: .seconds(6))
            try await freeze.begin(in: application.host.context())
            let error = await #expect(throws: DumpError.self) { try await freeze.end() }
            #expect(error?.message == "thaw_command took longer than 6s, and was stopped")
            #expect(application.host.journal.open.map(\.kind) == ["application_freeze"])
            try await eventually { try application.processes().isEmpty }
        }
    }

    /// Whether a holder has noted what the freeze command has left running. Then it waits for as long as the application may be frozen,
    /// instead of for a moment. Its poll(2) shows that, with the time as the third argument.
    private func isHolding(_ pid: pid_t) throws -> Bool {
        let call = try read(FilePath("/proc/\(pid)/syscall")).split(separator: " ")
        return call.count > 3 && Int(call[3].dropFirst(2), radix: 16) ?? 0 > 1000
    }

    /// How often a process has slept by now.
    private func timesAsleep(_ pid: pid_t) throws -> Int {
        let lines = try read(FilePath("/proc/\(pid)/status")).split(separator: "\n")
        let line = try #require(lines.first { $0.hasPrefix("voluntary_ctxt_switches:") })
        return try #require(Int(line.drop { !$0.isNumber }))
    }

    /// In the process that is killed.
    static func freezeAndThaw(in scratch: FilePath) async throws {
        let application = try Application(scratch)
        var context = application.host.context()
        context.journal = FileJournal(in: scratch)
        let freeze = application.freeze()
        try await freeze.begin(in: context)
        try await freeze.end()
    }

    @Test("is thawed when the freeze fails, and when it does not come to an end in time")
    func freezeFails() async throws {
        try await withScratch { scratch in
            let application = try Application(scratch)
            let half = application.freeze(["/bin/sh", "-c", "touch '\(application.frozen)'; exit 4"])
            let error = await #expect(throws: DumpError.self) { try await half.begin(in: application.host.context()) }
            #expect(error?.message == "freeze_command exited with status 4")
            #expect(!application.isFrozen && application.timesThawed() > 0)
            let endless = application.freeze(
                ["/bin/sh", "-c", "touch '\(application.frozen)'; sleep 1000"], deadline: .seconds(5))
            let late = await #expect(throws: DumpError.self) {
                try await endless.begin(in: application.host.context())
            }
            #expect(late?.code == .deadline)
            #expect(!application.isFrozen)
            #expect(try application.holders() == [])
            #expect(application.host.journal.open == [])
        }
    }

    @Test("is thawed by a second attempt when the first one fails")
    func thawFails() async throws {
        try await withScratch { scratch in
            let application = try Application(scratch)
            let tried = scratch.appending("tried")
            let second = "[ -e '\(tried)' ] || { touch '\(tried)'; exit 1; }; \(application.thawCommand[2])"
            let freeze = application.freeze(thaw: ["/bin/sh", "-c", second])
            try await freeze.begin(in: application.host.context())
            try await freeze.end()
            #expect(!application.isFrozen && application.timesThawed() == 1)
            #expect(application.host.journal.open == [])
        }
    }

    @Test(
        "is thawed when its holder is told to end or killed, and the end does not call that consistent",
        arguments: [SIGTERM, SIGKILL])
    func holderEnded(by signal: Int32) async throws {
        try await withScratch { scratch in
            let application = try Application(scratch)
            let freeze = application.freeze()
            try await freeze.begin(in: application.host.context())
            let holder = try #require(try application.holders().first)
            kill(holder, signal)
            if signal == SIGTERM { try await eventually { application.timesThawed() == 1 } }
            let error = await #expect(throws: DumpError.self) { try await freeze.end() }
            #expect(
                error?.message == "what held the application frozen was ended, and may have thawed it too early")
            #expect(!application.isFrozen && application.timesThawed() == 1)
            #expect(application.host.journal.open == [])
        }
    }

    @Test("needs programs that are there")
    func missing() async throws {
        try await withScratch { scratch in
            let application = try Application(scratch)
            let freeze = application.freeze(["no-such-program"])
            await #expect(throws: DumpError.self) { try await freeze.examine() }
        }
    }
}
