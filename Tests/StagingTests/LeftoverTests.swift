import DumpCore
import Glibc
import Linux
import Staging
import SystemPackage
import TestSupport
import Testing

@Suite("What a dead run leaves")
struct LeftoverTests {
    @Test("Everything in incoming is removed and named, whatever it is, and nothing else is touched")
    func removed() async throws {
        try await withArea { area in
            try await area.takeSet(["app": ["x": "1"]], run: .numbered(1))
            let incoming = area.root.appending("incoming")
            try fill(incoming, ["\(RunID.numbered(2))/app/half": "x", "\(RunID.numbered(2)).link7": "x"])
            #expect(symlink(area.current.string, incoming.appending("link").string) == 0)
            try write("{}", to: area.root.appending("journal/\(RunID.numbered(2)).publish.json.new"))
            // Of a record that a process which lives may be writing, and of one that nobody is.
            let me = ProcessIdentity.current
            let (alive, dead) = ("\(me.pid)-\(me.startTicks)", "\(me.pid)-1")
            let writing = "\(RunID.numbered(2)).undo.app.snapshot.1.json.\(alive).new"
            for name in [writing, "\(RunID.numbered(2)).undo.app.snapshot.2.json.\(dead).new"] {
                try write("{}", to: area.root.appending("journal/\(name)"))
            }
            let lock = try await area.lock(for: .numbered(3), command: "test")
            #expect(
                try await lock.removeLeftovers() == [
                    .removed(incoming.appending("\(RunID.numbered(2))")),
                    .removed(incoming.appending("\(RunID.numbered(2)).link7")), .removed(incoming.appending("link")),
                ])
            lock.release()
            #expect(try area.incomingNames == [] && area.journalNames == [writing])
            #expect(try await area.faithfulRun(at: area.current) == .numbered(1))
        }
    }

    @Test("No set is begun before they are removed")
    func begun() async throws {
        try await withArea { area in
            let lock = try await area.lock(for: .numbered(1), command: "test")
            defer { lock.release() }
            for path in ["incoming/x", "journal/x.publish.json"] {
                try write("", to: area.root.appending(path))
                let error = await #expect(throws: StagingError.self) { try await lock.beginSet() }
                #expect(error?.code == .leftovers)
                try FileSystem.removeFile(area.root.appending(path))
            }
            try await lock.beginSet().discard()
        }
    }

    @Test(
        "A record that is not understood stays; one of a publication keeps a run from starting, and any other is told")
    func unknownRecord() async throws {
        try await withArea { area in
            let record = area.root.appending("journal/\(RunID.numbered(1)).publish.json")
            try write("{\"kind\": \"snapshot\", \"run\": \"\(RunID.numbered(1))\"}", to: record)
            let lock = try await area.lock(for: .numbered(2), command: "test")
            defer { lock.release() }
            let error = await #expect(throws: StagingError.self) { try await lock.removeLeftovers() }
            #expect(
                error?.description == """
                    journal record \(record) is not understood
                      hint: If a newer Muster wrote it, use that one. If it is damaged, undo by hand what it describes, then remove it.
                    """)
            let other = area.root.appending("journal/\(RunID.numbered(1)).snapshot.json")
            try FileSystem.rename(record, to: other)
            #expect(try await lock.removeLeftovers() == [])
            #expect(
                try await area.unreadableUndoRecords().map(\.message) == ["journal record \(other) is not understood"])
            #expect(try area.journalNames == [other.lastComponent?.string])
        }
    }

    @Test("A set in incoming that was never current does not become previous")
    func neverCurrent() async throws {
        try await withArea { area in
            try await area.takeSet(["app": ["x": "1"]], run: .numbered(1))
            try await area.takeSet(["app": ["x": "2"]], run: .numbered(2))
            // The older previous set, which a crash has left under the name of the run that is current.
            let stale = area.root.appending("incoming/\(RunID.numbered(2))")
            try fill(
                area.root, ["incoming/\(RunID.numbered(2))/manifest.json": "{\"run_id\": \"\(RunID.numbered(0))\"}"])
            let lock = try await area.lock(for: .numbered(3), command: "test")
            #expect(try await lock.removeLeftovers() == [.removed(stale)])
            lock.release()
            #expect(try await area.faithfulRun(at: area.previous) == .numbered(1))
        }
    }

    @Test("They are told to an operator in words")
    func words() {
        let run = RunID.numbered(1)
        #expect("\(Leftover.removed("/s/incoming/x"))" == "removed /s/incoming/x")
        #expect("\(Leftover.keptAsPrevious("/s/incoming/x"))" == "kept /s/incoming/x as the previous set")
        #expect("\(Leftover.publicationCompleted(run))" == "completed the publication of run \(run)")
        #expect("\(Leftover.publicationUndone(run))" == "undid the publication of run \(run)")
    }
}
