import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

/// The places between two steps of a run at which a process can be stopped, in the order of the story.
let stopPoints = [
    "locked", "prepared", "frozen", "dumped", "released", "seal.hashed", "seal.checksums", "seal.manifest", "sealed",
    "publish.before", "publish.exchanged", "publish.previous", "published", "initialized",
    "begun", "created", "archived", "ended",
]

/// What passes the place with the fewest programs: up to the publication, where no Borg is started yet, `run` is `dump`.
private func verb(passing point: String) -> String {
    stopPoints.firstIndex(of: point)! < stopPoints.firstIndex(of: "publish.before")! ? "dump" : "run"
}

/// Whether the server is still of use at a place.
private func needsServer(_ point: String) -> Bool {
    stopPoints.firstIndex(of: point)! <= stopPoints.firstIndex(of: "released")!
}

@Suite("A run that is ended from outside")
struct KillTests {
    @Test("by SIGKILL leaves a complete set, and the next run succeeds and leaves nothing of it", arguments: stopPoints)
    func killed(at point: String) async throws {
        // Before that there is nothing of the run in the repository, and an archive there before would cost time only.
        let isArchiving = ["begun", "created", "archived", "ended"].contains(point)
        let verb = verb(passing: point)
        let withHost = needsServer(point) ? TestHost.with(_:hasRepository:_:) : TestHost.withFiles(_:hasRepository:_:)
        try await withHost(nil, verb == "run") { host in
            let first = try await host.muster(isArchiving ? "run" : "dump")
            try #require(first.status == .exited(0), "\(first.errors)")
            let run = try host.start([verb], environment: ["MUSTER_STOP_AT": point])
            try #require(await run.stopped(), "the run passes '\(point)'")
            run.send(SIGKILL)
            #expect(try await run.result().status == .signaled(SIGKILL))

            let verified = try await host.muster("verify")
            #expect(verified.status == .exited(0), "\(verified.output) \(verified.errors)")
            try await eventually { try host.processes().isEmpty }
            let sessions = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'muster%'"
            if needsServer(point) { try await eventually { try await host.server.psql(sessions) == "0" } }
            let next = try await host.muster(verb)
            #expect(next.status == .exited(0), "\(next.errors)")
            #expect(try FileSystem.names(in: host.staging.appending("incoming")).isEmpty)
            #expect(try FileSystem.names(in: host.staging.appending("journal")).isEmpty)
            guard verb == "run" else { return }
            // What the killed run archived counts if it was confirmed, and is deleted if it was not.
            let killed = ["archived", "ended"].contains(point) ? 1 : 0
            #expect(try await host.archiveNames().count == (isArchiving ? 1 : 0) + killed + 1)
        }
    }

    @Test(
        "by SIGTERM ends with 143, its children gone, its lock free, no archive made", arguments: stopPoints.dropLast(2)
    )
    func terminated(at point: String) async throws {
        let withHost = needsServer(point) ? TestHost.with(_:hasRepository:_:) : TestHost.withFiles(_:hasRepository:_:)
        try await withHost(nil, false) { host in
            let first = try await host.muster("dump")
            try #require(first.status == .exited(0), "\(first.errors)")
            let run = try host.start(["run"], environment: ["MUSTER_STOP_AT": point])
            try #require(await run.stopped(), "the run passes '\(point)'")
            run.send(SIGTERM)
            run.send(SIGCONT)
            let result = try await run.result()
            #expect(result.status == .exited(143), "\(result.errors)")
            #expect(try host.processes().isEmpty)
            #expect(try await host.archiveNames().isEmpty)
            #expect(try FileSystem.names(in: host.staging.appending("incoming")).isEmpty)
            let next = try await host.muster(verb(passing: point))
            #expect(next.status == .exited(0), "\(next.errors)")
        }
    }

    @Test(
        "while pg_dump waits leaves no pg_dump, whether by SIGTERM or by SIGKILL",
        arguments: [SIGTERM, SIGINT, SIGKILL])
    func endedInTheMiddleOfADump(signal: Int32) async throws {
        try await TestHost.with { host in
            let sharedHost = host
            try await host.whileLocking("orders", in: "shop") {
                let run = try sharedHost.start(["run"])
                try await eventually { try sharedHost.processes().contains { $0.contains("pg_dump") } }
                run.send(signal)
                let result = try await run.result()
                #expect(result.status == (signal == SIGKILL ? .signaled(signal) : .exited(128 + signal)))
                try await eventually { try sharedHost.processes().isEmpty }
            }
            let next = try await host.muster("dump")
            #expect(next.status == .exited(0), "\(next.errors)")
        }
    }

    @Test("without the capability to kill, as units of systemd have it, ends a pg_dump of another user's all the same")
    func withoutCapability() async throws {
        try await TestHost.with { host in
            let sharedHost = host
            try await host.whileLocking("orders", in: "shop") {
                let run = try sharedHost.start(
                    ["dump"], under: ["/usr/bin/setpriv", "--bounding-set=-kill", "--inh-caps=-kill"])
                try await eventually { try sharedHost.processes().contains { $0.contains("pg_dump") } }
                run.send(SIGTERM)
                #expect(try await run.result().status == .exited(143))
                #expect(try sharedHost.processes().isEmpty)
            }
        }
    }

    @Test("in the middle of borg create leaves no archive, no checkpoint and no lock", arguments: [SIGTERM, SIGKILL])
    func endedInTheMiddleOfBorg(signal: Int32) async throws {
        try await TestHost.with { host in
            let first = try await host.muster("run")
            try #require(first.status == .exited(0), "\(first.errors)")
            // A Borg that is held up once it writes: stopped by the same signals as the real one, because it is the real one.
            try host.fake(
                "borg",
                """
                case "$*" in *create*) exec /usr/bin/python3 -I -c '
                import time
                from borg.archiver import main
                from borg.repository import Repository
                def put(*words, written=Repository.put, **others):
                    Repository.put = written
                    written(*words, **others)
                    time.sleep(600)
                Repository.put = put
                main()' "$@" ;; esac
                exec $BORG "$@"
                """)
            try await host.sql(
                "INSERT INTO orders SELECT n, md5(n::text) FROM generate_series(5000, 90000) n", in: "shop")
            let archives = try await host.archiveNames()
            // Borg answers for its lock from when it writes: a signal between its making the lock and noting that it has it leaves it.
            let segments = host.repository.appending("data/0")
            let written = Set(try FileSystem.names(in: segments))
            let run = try host.start(["run"])
            try await eventually { try !Set(FileSystem.names(in: segments)).isSubset(of: written) }
            run.send(signal)
            _ = try await run.result()
            try await eventually { try host.processes().isEmpty }
            #expect(unlink(host.bin.appending("borg").string) == 0)
            #expect(access(host.repository.appending("lock.exclusive").string, F_OK) != 0, "Borg released its lock")
            #expect(try await host.archiveNames() == archives)
            let next = try await host.muster("archive")
            #expect(next.status == .exited(0), "\(next.errors)")
        }
    }
}

extension TestHost {
    /// The command lines of processes that work on this host's files, without the server's own and those that hold locks in it.
    func processes() throws -> [String] {
        try RunningProcess.mentioning(scratch.string).filter { $0.pid != getpid() }.compactMap { process in
            let line = process.commandLine.replacing("\0", with: " ")
            let ofServer = line.contains("postgres") && (line.contains(" -D ") || line.hasPrefix("postgres:"))
            let ofTest = line.contains("psql ") || line.contains("lock-may-go")
            return ofServer || ofTest ? nil : line
        }
    }
}
