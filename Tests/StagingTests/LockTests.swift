import DumpCore
import Glibc
import Linux
import Staging
import SystemPackage
import TestSupport
import Testing

@Suite("The lock of a staging area")
struct LockTests {
    @Test("A second run is told at once who holds the lock and since when, and gets it after the first")
    func exclusive() async throws {
        try await withArea { area in
            let first = try await area.lock(for: .numbered(1), command: "muster run nightly")
            let since = try holderSince(area)
            let error = await #expect(throws: StagingError.self) {
                try await area.lock(for: .numbered(2), command: "muster run nightly")
            }
            #expect(error?.code == .locked)
            #expect(
                error?.description == """
                    staging area \(area.root) is in use by 'muster run nightly' (pid \(getpid())) since \(since.local)
                      run: \(RunID.numbered(1))
                      hint: Wait until it has ended.
                    """)
            first.release()
            try await area.lock(for: .numbered(2), command: "test").release()
        }
    }

    @Test("A run that was killed leaves no lock, whatever the file says")
    func killedHolder() async throws {
        try await withArea { area in
            await #expect(processExitsWith: .signal(SIGKILL)) { [root = area.root.string as String] in
                let lock = try await StagingArea.open(FilePath(root)).lock(for: .numbered(1), command: "dead")
                kill(getpid(), SIGKILL)
                lock.release()
            }
            #expect(try read(area.root.appending("lock")).contains("dead"))
            try await area.lock(for: .numbered(2), command: "test").release()
        }
    }

    @Test("A holder that is half written, or has gone, is not named", arguments: ["{\"pid\": 1, \"comm", "", "gone"])
    func unknownHolder(text: String) async throws {
        try await withArea { area in
            let lock = try await area.lock(for: .numbered(1), command: "test")
            defer { lock.release() }
            // No process has the highest number that a pid can never be.
            let gone = "{\"command\": \"x\", \"pid\": 4194305, \"since\": \"2026-11-23T08:01:02Z\"}"
            try write(text == "gone" ? gone : text, to: area.root.appending("lock"))
            let error = await #expect(throws: StagingError.self) {
                try await area.lock(for: .numbered(2), command: "test")
            }
            #expect(
                error?.description == """
                    staging area \(area.root) is in use by another process
                      hint: Wait until it has ended. To find it: fuser -v \(area.root)/lock
                    """)
        }
    }

    @Test("Readers share the lock, and keep runs out")
    func readers() async throws {
        try await withArea { area in
            let one = try await area.lockForReading(command: "muster with-lock")
            let other = try await area.lockForReading(command: "muster with-lock")
            one.release()
            let since = try holderSince(area)
            let error = await #expect(throws: StagingError.self) {
                try await area.lock(for: .numbered(1), command: "test")
            }
            #expect(error?.code == .locked)
            #expect(
                error?.message == """
                    staging area \(area.root) is being read by 'muster with-lock' (pid \(getpid())) since \(since.local)
                    """)
            other.release()
            try await area.lock(for: .numbered(1), command: "test").release()
        }
    }

    @Test("A reader waits for a run as long as it is told to, and no longer")
    func patience() async throws {
        try await withArea { area in
            let run = try await area.lock(for: .numbered(1), command: "test")
            for patience: Duration? in [nil, .milliseconds(150)] {
                let error = await #expect(throws: StagingError.self) {
                    try await area.lockForReading(command: "reader", patience: patience)
                }
                #expect(error?.code == .locked)
            }
            let patient = Task { try await area.lockForReading(command: "reader", patience: .seconds(600)) }
            let cancelled = Task { try await area.lockForReading(command: "reader", patience: .seconds(600)) }
            cancelled.cancel()
            let error = await #expect(throws: StagingError.self) { try await cancelled.value }
            #expect(error?.code == .cancelled)
            run.release()
            try await patient.value.release()
        }
    }

    @Test("Nothing is done under a lock that has been released")
    func released() async throws {
        try await withArea { area in
            let lock = try await area.lock(for: .numbered(1), command: "test")
            let incoming = try await lock.beginSet()
            lock.release()
            lock.release()
            let calls: [() async throws -> Void] = [
                { _ = try await lock.beginSet() }, { _ = try await lock.removeLeftovers() },
                { _ = try await incoming.directory(forDump: "app") }, { try await incoming.discard() },
                { _ = try await incoming.seal([.test("app")], as: .test) },
            ]
            for call in calls {
                let error = await #expect(throws: StagingError.self) { try await call() }
                #expect(error?.code == .lockNotHeld)
                #expect(error?.description == "the lock of staging area \(area.root) has been released")
            }
        }
    }

    private func holderSince(_ area: StagingArea) throws -> Timestamp {
        let text = try read(area.root.appending("lock"))
        let since = try #require(text.split(separator: "\"since\" : \"").last?.prefix { $0 != "\"" })
        return try #require(Timestamp(String(since)))
    }
}
