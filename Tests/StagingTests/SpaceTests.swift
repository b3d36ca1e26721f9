import DumpCore
import Glibc
import Linux
import Staging
import SystemPackage
import TestSupport
import Testing

@Suite("A full file system")
struct SpaceTests {
    @Test("A set that will not fit is known before it is begun")
    func required() async throws {
        try await withTmpfs(size: "1m") { mount in
            let area = try await StagingArea.open(mount)
            try await area.requireSpace(for: 1_000_000)
            let error = await #expect(throws: StagingError.self) { try await area.requireSpace(for: 1 << 30) }
            #expect(error?.code == .noSpace)
            let free = try FileSystem.availableBytes(at: mount)
            #expect(
                error?.description == """
                    no space to take the dumps into \(mount): 1.00 GiB needed, \(formatBytes(free)) free
                      needed_bytes: 1073741824
                      free_bytes: \(free)
                      hint: Free space on this file system, or move the staging area to a larger one.
                    """)
        }
    }

    @Test("A dump is expected to be as large as last time, and a new one as large as estimated")
    func expected() async throws {
        try await withArea { area in
            #expect(try await area.expectedBytes(estimates: ["app": 1000, "new": 50]) == 1050)
            try await area.takeSet(["app": ["x": "12345", "y": "67"], "dropped": ["z": "89"]])
            #expect(try await area.expectedBytes(estimates: ["app": 1000, "new": 50]) == 57)
            try write("", to: area.current.appending("manifest.json"))
            #expect(try await area.expectedBytes(estimates: ["app": 1000, "new": 50]) == 1050)
        }
    }

    @Test("A disk that fills up keeps a set from being sealed, says what was needed, and harms nothing")
    func sealing() async throws {
        try await withTmpfs(size: "1m") { mount in
            let area = try await StagingArea.open(mount)
            try await area.takeSet(["app": ["x": "1"]], run: .numbered(1))
            try await untilReleased(below: mount)
            try await area.withIncoming(.numbered(2)) { incoming in
                try fill(try await incoming.directory(forDump: "app"), ["x": "2"])
                try fillUp(mount.appending("filler"))
                let error = await #expect(throws: StagingError.self) {
                    try await incoming.seal([.test("app")], as: .test)
                }
                #expect(error?.code == .noSpace)
                #expect(
                    error?.description == """
                        no space to write \(incoming.root)/checksums/app.sha256: 4.00 KiB needed, 0 B free
                          needed_bytes: 4096
                          free_bytes: 0
                          hint: Free space on this file system, or move the staging area to a larger one.
                        """)
                try await incoming.discard()
            }
            #expect(try await area.faithfulRun(at: area.current) == .numbered(1))
            try FileSystem.removeFile(mount.appending("filler"))
            try await area.takeSet(["app": ["x": "2"]], run: .numbered(2))
            #expect(try await area.faithfulRun(at: area.current) == .numbered(2))
        }
    }

    @Test("A report that does not fit leaves the one before as it was")
    func report() async throws {
        try await withTmpfs(size: "1m") { mount in
            let area = try await StagingArea.open(mount)
            try await area.writeReport(["outcome": "good"], of: .numbered(1))
            try fillUp(mount.appending("filler"))
            let large = String(repeating: "x", count: 10_000)
            let error = await #expect(throws: StagingError.self) {
                try await area.writeReport([large], of: .numbered(1))
            }
            #expect(error?.code == .noSpace)
            #expect(
                error?.message == """
                    no space to write \(mount)/runs/\(RunID.numbered(1)).json: 9.77 KiB needed, 0 B free
                    """)
            #expect(
                try await area.reports().map { String(decoding: $0.bytes, as: UTF8.self) } == [
                    "{\n  \"outcome\" : \"good\"\n}\n"
                ])
            #expect(try FileSystem.names(in: mount.appending("runs")).count == 1)
        }
    }

    @Test("On a full disk the last set can still be locked and read")
    func reading() async throws {
        try await withTmpfs(size: "1m") { mount in
            let area = try await StagingArea.open(mount)
            try await area.takeSet(["app": ["x": "1"]])
            try fillUp(mount.appending("filler"))
            let lock = try await area.lockForReading(command: "test")
            defer { lock.release() }
            #expect(try await area.faithfulRun(at: area.current) == .numbered(1))
        }
    }
}
