import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@Suite("A standby that a killed run has left paused")
struct UndoTests {
    @Test(
        "goes on after 'muster undo', and after the next run, which says so",
        arguments: ["replay.recorded", "replay.paused", "replay.frozen", "dumped"])
    func killed(point: String) async throws {
        try await TestHost.with { host in
            try await host.server.withStandby(in: host.scratch) { standby in
                host.job.connection = standby.connection
                host.job.dumpLines.append("    standby: {pause_replay: true}")
                let state = { try await standby.psql("select pg_get_wal_replay_pause_state()") }
                let isPaused = point != "replay.recorded"

                try await host.killMuster("dump", at: point)
                let told = try await host.muster("status")
                #expect(told.output.contains("to be undone: replay_paused of dump app (muster undo)"), "\(told.output)")
                let rehearsed = try await host.muster("undo", "--dry-run")
                #expect(rehearsed.output.hasPrefix("to undo: replay_paused of dump app, left by run "))
                #expect(try await state().hasPrefix("pause") == isPaused)
                let undone = try await host.muster("undo")
                #expect(undone.status == .exited(0), "\(undone.errors)")
                #expect(undone.output.hasPrefix("undone: replay_paused of dump app, left by run "))
                #expect(try await state() == "not paused")
                #expect(try await host.muster("undo").output == "nothing is left to undo\n")

                try await host.killMuster("dump", at: point)
                let next = try await host.muster("dump")
                #expect(next.status == .exited(0), "\(next.errors)")
                #expect(next.errors.contains("undid what a dead run had left"), "\(next.errors)")
                #expect(try await state() == "not paused")
                #expect(try FileSystem.names(in: host.staging.appending("journal")).isEmpty)
            }
        }
    }

    @Test("of which one record cannot be read keeps nothing else from being undone, and no dump from being made")
    func unreadable() async throws {
        try await TestHost.with { host in
            let first = try await host.muster("dump")
            #expect(first.status == .exited(0), "\(first.errors)")
            let record = host.staging.appending("journal/20260101T000000Z-0000.undo.app.replay_paused.1.json")
            try write("{", to: record)
            let told = "journal record \(record) is not understood"
            let undone = try await host.muster("undo")
            #expect(undone.status == .exited(1) && undone.output == "not undone: \(told)\n", "\(undone.output)")
            #expect(try await host.muster("status").output.contains(told))
            let release = try await host.muster("release")
            #expect(release.status == .exited(1) && release.output == "not released: \(told)\n", "\(release.output)")
            let next = try await host.muster("dump")
            #expect(next.status == .exited(0) && next.errors.contains(told), "\(next.errors)")
            #expect(access(record.string, F_OK) == 0)
        }
    }

    @Test("stays on record while it cannot be reached, and no dump is kept waiting for it")
    func unreachable() async throws {
        try await TestHost.with { host in
            let primary = host.job.connection
            try await host.server.withStandby(in: host.scratch) { standby in
                host.job.connection = standby.connection
                host.job.dumpLines.append("    standby: {pause_replay: true}")
                try await host.killMuster("dump", at: "replay.frozen")
            }
            let undone = try await host.muster("undo")
            #expect(undone.status == .exited(1))
            #expect(undone.output.hasPrefix("not undone: replay_paused of dump app"), "\(undone.output)")
            #expect(undone.errors.contains("cannot connect to PostgreSQL"), "\(undone.errors)")
            #expect(try FileSystem.names(in: host.staging.appending("journal")).count == 1)
            host.job.connection = primary
            let next = try await host.muster("dump")
            #expect(next.status == .exited(0), "\(next.errors)")
        }
    }
}
