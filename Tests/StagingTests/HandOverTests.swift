import DumpCore
import Glibc
import Linux
import Staging
import SystemPackage
import TestSupport
import Testing

@Suite("Handing over a set")
struct HandOverTests {
    @Test("A set that is as it was sealed is handed over, unread")
    func intact() async throws {
        try await withArea { area in
            try await area.takeSet(["app": ["x": "1", "y": "2"]])
            let times = try accessTimes(area)
            #expect(try await area.verifiedSet()?.manifest.runID == .numbered(1))
            try await area.requireUnchanged(#require(try await area.currentSet()))
            #expect(try accessTimes(area) == times)
        }
    }

    @Test("A changed byte is found, whatever was done to hide it", arguments: Damage.allCases)
    func damaged(by damage: Damage) async throws {
        try await withArea { area in
            try await area.takeSet(["app": ["x": "1", "y": "2"]])
            let set = try #require(try await area.verifiedSet())
            try damage.apply(to: area.current.appending("app/x"))
            for look in [{ _ = try await area.verifiedSet() }, { try await area.requireUnchanged(set) }] {
                let error = await #expect(throws: StagingError.self) { try await look() }
                #expect(error?.code == .damagedSet)
                #expect(error?.message.contains("app/x") == true, "\(error?.message ?? "")")
            }
        }
    }

    enum Damage: CaseIterable {
        case written, timeKept, replaced, heldOpen

        func apply(to path: FilePath) throws {
            let before = try FileSystem.status(of: path)
            switch self {
            case .written, .timeKept, .heldOpen:
                let file = try FileDescriptor.open(path, .writeOnly)
                try file.closeAfter { _ = try file.writeAll("2".utf8) }
            case .replaced:
                try FileSystem.removeFile(path)
                try write("2", to: path)
            }
            guard self != .written else { return }
            try FileSystem.setModified(path, to: before.modified)
        }
    }

    @Test("A file that looks otherwise and holds the same is read once, and handed over")
    func touched() async throws {
        try await withArea { area in
            try await area.takeSet(["app": ["x": "1", "y": "2"]])
            try #require(chmod(area.current.appending("app/x").string, 0o600) == 0)
            let lock = try await area.lock(for: .numbered(2), command: "test")
            let before = try read(area.root.appending("sealed"))
            #expect(try await area.verifiedSet(noting: lock) != nil)
            #expect(try read(area.root.appending("sealed")) != before)
            lock.release()
        }
    }

    @Test(
        "Without a note of how it was sealed, or with another's, a set is read", arguments: ["", "muster sealed 1 x\n"])
    func unknown(note: String) async throws {
        try await withArea { area in
            try await area.takeSet(["app": ["x": "1"]])
            try write(note, to: area.root.appending("sealed"))
            #expect(try await area.verifiedSet() != nil)
            try Damage.timeKept.apply(to: area.current.appending("app/x"))
            await #expect(throws: StagingError.self) { try await area.verifiedSet() }
        }
    }

    @Test("Files that are links to those of the set before are as they were sealed, although that set was removed")
    func reused() async throws {
        try await withArea { area in
            for number in 1...3 {
                try await area.takeSet(["app": ["x": "same", "y": "\(number)"]], run: .numbered(number))
            }
            try #require(try FileSystem.status(of: area.current.appending("app/x")).links == 2)
            let note = try read(area.root.appending("sealed"))
            let lock = try await area.lock(for: .numbered(4), command: "test")
            #expect(try await area.verifiedSet(noting: lock) != nil)
            #expect(try read(area.root.appending("sealed")) == note, "nothing had to be read")
            lock.release()
        }
    }

    private func accessTimes(_ area: StagingArea) throws -> [Int] {
        try ["x", "y"].map { name in
            var facts = stat()
            try #require(lstat(area.current.appending("app/\(name)").string, &facts) == 0)
            return facts.st_atim.tv_nsec
        }
    }
}
