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
            let lock = try await area.lock(for: .numbered(3), command: "test")
            #expect(
                try await lock.removeLeftovers() == [
                    .removed(incoming.appending("\(RunID.numbered(2))")),
                    .removed(incoming.appending("\(RunID.numbered(2)).link7")), .removed(incoming.appending("link")),
                ])
            lock.release()
            #expect(try area.incomingNames == [] && area.journalNames == [])
            #expect(try await area.faithfulRun(at: area.current) == .numbered(1))
        }
    }

    @Test("No set is begun before they are removed")
    func begun() async throws {
        try await withArea { area in
            let lock = try await area.lock(for: .numbered(1), command: "test")
            defer { lock.release() }
            for path in ["incoming/x", "journal/x.json"] {
                try write("", to: area.root.appending(path))
                let error = await #expect(throws: StagingError.self) { try await lock.beginSet() }
                #expect(error?.code == .leftovers)
                try FileSystem.removeFile(area.root.appending(path))
            }
            try await lock.beginSet().discard()
        }
    }

    @Test("A record that is not understood stays, and keeps a run from starting")
    func unknownRecord() async throws {
        try await withArea { area in
            let record = area.root.appending("journal/x.json")
            try write("{\"kind\": \"snapshot\", \"run\": \"\(RunID.numbered(1))\"}", to: record)
            let lock = try await area.lock(for: .numbered(2), command: "test")
            defer { lock.release() }
            let error = await #expect(throws: StagingError.self) { try await lock.removeLeftovers() }
            #expect(
                error?.description == """
                    journal record \(record) is not understood
                      hint: A newer Muster may have written it: run that one again, so that it ends what it began.
                    """)
            #expect(try area.journalNames == ["x.json"])
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
