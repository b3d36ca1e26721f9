import Conformance
import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@testable import DumpCore
@testable import PostgreSQL

@Suite("A standby")
struct StandbyTests {
    @Test("of which nothing else is said is dumped within a window, and not at all if it must be exact")
    func window() async throws {
        try await StandbyFixture.with(template: .shop) { host in
            try await host.catchUp()
            let directory = try host.standby.newDirectory()
            let summary = try await TestRun().dump(host.standby.provider(), into: directory)
            #expect(summary.moment.kind == .window)
            #expect(summary.moment.evidence["attempts"] == "1")
            #expect(summary.moment.evidence["wal_last"]?.contains("/") == true)
            #expect(summary.databases.count == 4)

            let exact = host.standby.provider { $0.consistency = .exact }
            let error = try await dumpError {
                try await TestRun().dump(exact, into: host.standby.newDirectory("exact"))
            }
            #expect(error.code == .notExact)
            #expect(error.hint?.contains("pause_replay") == true)
        }
    }

    @Test(
        "whose replay is paused is dumped as of one instant, whatever is committed on the primary, and goes on afterwards"
    )
    func paused() async throws {
        try await StandbyFixture.with { host in
            let writers = Lockstep(cluster: host.primary, writers: 3)
            try await writers.prepare()
            try await writers.whileWriting {
                try await host.catchUp()
                for round in 1...3 {
                    let directory = try host.standby.newDirectory("dump \(round)")
                    let journal = MemoryJournal()
                    let provider = host.standby.provider {
                        $0.pausesReplay = true
                        $0.consistency = .exact
                        $0.include = ["left", "right"]
                    }
                    let summary = try await TestRun(journal: journal).dump(provider, into: directory)
                    #expect(summary.moment.kind == .exact)
                    let paused = summary.moment.evidence["replay_paused_seconds"].flatMap(Double.init)
                    #expect(try #require(paused) > 0)
                    let ahead = try await writers.leadsOfLeft(in: directory.appending("databases"))
                    #expect(ahead.allSatisfy { $0 == 0 || $0 == 1 }, "round \(round): \(ahead)")
                    #expect(try await host.replay() == "not paused")
                    #expect(journal.all.count == 1)
                    #expect(journal.open.isEmpty)
                }
            }
        }
    }

    @Test("stays paused while it is dumped, so that nothing that is replayed can cancel the dump")
    func noConflict() async throws {
        try await StandbyFixture.with(template: .shop, settings: ["max_standby_streaming_delay = 0"]) { host in
            try await host.catchUp()
            let journal = MemoryJournal()
            let run = TestRun(journal: journal)
            try await run.prepared(host.standby.provider { $0.pausesReplay = true }) { source in
                let frozen = try await source.freeze(in: run.context)
                #expect(try await host.replay() == "paused")
                #expect(journal.open.map(\.kind) == ["replay_paused"])
                try await host.primary.server.psql("delete from orders", in: "shop")
                try await host.primary.server.psql("vacuum orders", in: "shop")
                try await host.primary.server.psql("alter table customers add more int", in: "shop")
                let summary = try await frozen.dump(into: host.standby.newDirectory(), in: run.context)
                let shop = try #require(summary.databases.first { $0.name == "shop" })
                #expect(shop.tables.map(\.rows) == [3, 20000])
                await frozen.release()
                #expect(try await host.replay() == "not paused")
                #expect(journal.open.isEmpty)
            }
        }
    }

    /// Why replay is not resumed before the dump has ended.
    @Test(
        "that goes on during a dump cancels it, with hot_standby_feedback by an exclusive lock, without it by any vacuum"
    )
    func conflicts() async throws {
        for feedback in ["on", "off"] {
            let settings = [
                "max_standby_streaming_delay = 0", "hot_standby_feedback = \(feedback)",
                "wal_receiver_status_interval = 1",
            ]
            try await StandbyFixture.with(template: .shop, settings: settings) { host in
                try await host.catchUp()
                let run = TestRun()
                // In place of pg_dump, because it reads for as long as the test likes.
                let dumps = try host.standby.clientPrograms(
                    pgDump: """
                        case "$*" in *shop*) exec $REAL/psql -X "${@: -1}" -c 'begin isolation level repeatable read;
                            select count(*) from orders; select pg_sleep(600)' ;; esac
                        exec $REAL/pg_dump "$@"
                        """)
                let provider = host.standby.provider { $0.binDirectory = dumps }
                try await run.prepared(provider) { source in
                    let frozen = try await source.freeze(in: run.context)
                    let dump = Task { try await frozen.dump(into: host.standby.newDirectory(), in: run.context) }
                    try await eventually {
                        try await host.standby.server.psql(
                            "select count(*) from pg_stat_activity where wait_event = 'PgSleep'") == "1"
                    }
                    if feedback == "off" {
                        try await host.primary.server.psql("delete from orders", in: "shop")
                        try await host.primary.server.psql("vacuum orders", in: "shop")
                    } else {
                        try await host.primary.server.psql("alter table orders add more int", in: "shop")
                    }
                    let error = try await dumpError { _ = try await dump.value }
                    #expect(error.isTransient, "\(error)")
                    #expect(error.context["stderr"]?.contains("conflict with recovery") == true, "\(error)")
                    await frozen.release()
                }
            }
        }
    }

    @Test("whose replay our role may not pause is a failure of prepare, until it may")
    func denied() async throws {
        try await StandbyFixture.with { host in
            try await host.primary.server.psql(
                "create role backup login password 'secret' in role pg_read_all_data")
            try await host.catchUp()
            let provider = host.standby.provider(password: Secret("secret")) {
                $0.connection = host.standby.server.connection(as: "backup")
                $0.runAs = nil
                $0.pausesReplay = true
            }
            try await TestRun().prepared(provider) { source in
                let finding = try #require(source.findings.first { $0.code == "replay_pause_denied" })
                #expect(finding.severity == .failure)
            }
            try await host.primary.server.psql(
                "grant execute on function pg_wal_replay_pause(), pg_wal_replay_resume() to backup")
            try await host.catchUp()
            let summary = try await TestRun().dump(provider, into: host.standby.newDirectory())
            #expect(summary.moment.kind == .exact)
            #expect(try await host.replay() == "not paused")
        }
    }

    @Test("that somebody else has paused is left paused")
    func pausedBySomebodyElse() async throws {
        try await StandbyFixture.with { host in
            try await host.standby.server.psql("select pg_wal_replay_pause()")
            try await eventually { try await host.replay() == "paused" }
            let journal = MemoryJournal()
            let provider = host.standby.provider { $0.pausesReplay = true }
            let summary = try await TestRun(journal: journal).dump(provider, into: host.standby.newDirectory())
            #expect(summary.moment.kind == .exact)
            #expect(try await host.replay() == "paused")
            #expect(summary.moment.evidence["replay_paused_seconds"] == nil)
            #expect(journal.all.isEmpty)
        }
    }

    @Test("is paused no longer than it may be, whatever becomes of the dump")
    func limit() async throws {
        try await dumpSlowly(pausingFor: .seconds(10)) { host, run, journal in
            try await eventually { journal.all.count == 1 }
            try await eventually { try await host.replay() == "not paused" }
        }
    }

    @Test("goes on as soon as it can be reached again, when it could not be in time")
    func limitUnreachable() async throws {
        try await dumpSlowly(pausingFor: .seconds(15)) { host, run, _ in
            try await eventually { try await host.replay() == "paused" }
            let socket = host.standby.server.directory.appending(".s.PGSQL.5432")
            let aside = host.standby.server.directory.appending("aside")
            try #require(rename(socket.string, aside.string) == 0)
            try await eventually { run.logged.all.contains { $0.contains("cannot resume replay") } }
            try #require(rename(aside.string, socket.string) == 0)
            try await eventually { try await host.replay() == "not paused" }
        }
    }

    /// A dump whose programs wait for the end of `meanwhile`, and which is exact all the same.
    private func dumpSlowly(
        pausingFor limit: Duration, _ meanwhile: (StandbyFixture, TestRun, MemoryJournal) async throws -> Void
    ) async throws {
        try await StandbyFixture.with(template: .shop) { host in
            try await host.catchUp()
            let go = host.scratch.appending("go")
            let wait = "until [ -e \(go) ]; do sleep 0.05; done; exec $REAL"
            let slow = try host.standby.clientPrograms(
                pgDump: "\(wait)/pg_dump \"$@\"", pgDumpAll: "\(wait)/pg_dumpall \"$@\"")
            let journal = MemoryJournal()
            let run = TestRun(journal: journal)
            let provider = host.standby.provider {
                $0.pausesReplay = true
                $0.pauseLimit = limit
                $0.binDirectory = slow
            }
            let dump = Task { try await run.dump(provider, into: host.standby.newDirectory()) }
            try await meanwhile(host, run, journal)
            try write("", to: go)
            #expect(try await dump.value.moment.kind == .exact)
            #expect(journal.open.isEmpty)
        }
    }

    @Test("is resumed by its record, and a server that it does not concern is left alone")
    func undo() async throws {
        try await StandbyFixture.with { host in
            let server = host.standby.server
            let identifier = try await server.psql("select system_identifier from pg_control_system()")
            let start = try await server.psql("select extract(epoch from pg_postmaster_start_time())")
            let now = try await server.psql("select extract(epoch from clock_timestamp())")
            let pause = { try await host.standby.server.psql("select pg_wal_replay_pause()") }
            let run = TestRun()
            func record(_ kind: String, _ identifier: String, start: String = start, now: String = now) -> UndoRecord {
                let paused = PausedReplay(
                    systemIdentifier: identifier, serverStart: start, serverTime: now, host: server.directory.string,
                    address: "", port: "5432")
                var record = UndoRecord(run: run.context.runID, dump: "app", paused, owner: .current)
                record.kind = kind
                return record
            }
            _ = try await pause()
            let provider = host.standby.provider()
            // Another cluster was put in its place, or the server was started anew, and what was paused goes on.
            try await provider.undo(record("replay_paused", "1", start: "1", now: "2"), in: run.context)
            try await provider.undo(record("replay_paused", identifier, start: "1", now: "2"), in: run.context)
            #expect(try await host.replay() != "not paused")
            // Another one of the system was there before already.
            let other = try await dumpError {
                try await provider.undo(record("replay_paused", identifier, start: "1"), in: run.context)
            }
            #expect(other.message.hasPrefix("another server answers at \(server.directory), port 5432"), "\(other)")
            #expect(try await host.replay() != "not paused")
            // Whatever the job's own connection leads to.
            try await host.primary.provider().undo(record("replay_paused", identifier), in: run.context)
            #expect(try await host.replay() == "not paused")
            _ = try await pause()
            try await provider.undo(record("replay_paused", identifier), in: run.context)
            try await provider.undo(record("replay_paused", identifier), in: run.context)
            #expect(try await host.replay() == "not paused")
            let error = try await dumpError { try await provider.undo(record("other", identifier), in: run.context) }
            #expect(error.message == "no provider knows how to undo other of dump 'app'")
        }
    }
}

@Suite("The record of a pause")
struct PausedReplayTests {
    private let whole = PausedReplay(
        systemIdentifier: "7", serverStart: "1.5", serverTime: "2", host: "/tmp/pg", address: "", port: "5432")

    private func record(_ facts: PausedReplay) -> UndoRecord {
        UndoRecord(run: RunID(start: .now), dump: "app", facts, owner: .current)
    }

    @Test("says what it was told, under names that never change")
    func members() throws {
        #expect(
            whole.recorded == [
                "system_identifier": "7", "server_start": "1.5", "server_time": "2", "host": "/tmp/pg", "address": "",
                "port": "5432",
            ])
        #expect(try PausedReplay(of: record(whole)).recorded == whole.recorded)
    }

    @Test("of an older Muster says less, and one without a server says nothing")
    func olderRecords() throws {
        let older = PausedReplay(systemIdentifier: "7")
        #expect(older.recorded == ["system_identifier": "7"])
        #expect(try PausedReplay(of: record(older)).serverStart == nil)
        var empty = record(older)
        empty.facts["system_identifier"] = nil
        let error = #expect(throws: DumpError.self) { try PausedReplay(of: empty) }
        #expect(
            error?.message == "the undo record of replay_paused of dump 'app' does not say its system_identifier")
    }
}

/// A primary and its streaming standby.
struct StandbyFixture {
    let scratch: FilePath
    let primary: ClusterFixture
    let standby: ClusterFixture

    static func with<Result>(
        template: Template = .emptyCluster, settings: [String] = [], _ body: (StandbyFixture) async throws -> Result
    ) async throws -> Result {
        try await ClusterFixture.with(template: template) { primary in
            try await primary.server.withStandby(in: primary.scratch, settings: settings) { server in
                try await body(
                    StandbyFixture(
                        scratch: primary.scratch, primary: primary,
                        standby: ClusterFixture(scratch: primary.scratch, server: server)))
            }
        }
    }

    /// Waits until the standby has replayed what is on the primary now.
    func catchUp() async throws {
        let position = try await primary.server.psql("select pg_current_wal_lsn()")
        try await eventually {
            try await standby.server.psql("select pg_last_wal_replay_lsn() >= '\(position)'") == "t"
        }
    }

    func replay() async throws -> String { try await standby.server.psql("select pg_get_wal_replay_pause_state()") }
}
