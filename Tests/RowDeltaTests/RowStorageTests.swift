import Checksums
import DumpCore
import Linux
import SystemPackage
import TestSupport
import Testing

@testable import RowDelta

@Suite("A table that is stored as rows")
struct RowStorageTests {
    @Test("keeps its base under its old inode, and what went and came is all that is new")
    func change() async throws {
        try await withScratch { scratch in
            let table = StoredTable(in: scratch)
            let others = (1...20).map { "row \($0)\n" }.joined()
            let base = try table.store(others + "a\nb\nb\nc\n")
            #expect(base.outcome == .base("it is the first"))
            let inode = try FileSystem.status(of: table.former(base).directory.appending("20260101T000000Z.rows")).inode
            let next = try table.store(others + "b\nd\na\n", since: base, day: 2)
            #expect(next.outcome == .change(added: 1, removed: 2, changed: 0, isFolded: false))
            let directory = table.former(next).directory
            #expect(try FileSystem.status(of: directory.appending("20260101T000000Z.rows")).inode == inode)
            #expect(try read(directory.appending("20260102T000000Z.rows")) == "d\n\\.\n\n\n")
            #expect(try read(directory.appending("20260102T000000Z.lines")) == "23 5\n")
            #expect(next.sha256 == (try sha256(of: Array("\(others)a\nb\nd\n\\.\n\n\n".utf8))))
        }
    }

    @Test("stores of a row that has changed the pieces that are others, where most of it stays")
    func pieces() async throws {
        try await withScratch { scratch in
            let table = StoredTable(in: scratch)
            let rows = (1...20).map { "\($0)\tthe name of a long row \($0)\t0\n" }
            let base = try table.store(rows.joined())
            var changed = rows
            changed[6] = "7\tthe NAME of a long row 7\t12\n"
            changed[8] = "9\tnothing of it at all stays what it was before that\t0\t0\n"
            changed.swapAt(1, 17)
            changed.append(changed.remove(at: 2))
            let next = try table.store(changed.joined(), since: base, day: 2)
            #expect(next.outcome == .change(added: 0, removed: 0, changed: 2, isFolded: false))
            let directory = table.former(next).directory
            #expect(
                try read(directory.appending("20260102T000000Z.lines")) == "7 27 1 12\n0 6 4 NAME\n2 1\n12 3\n")
            #expect(try read(directory.appending("20260102T000000Z.rows")) == changed[7] + "\\.\n\n\n")
        }
    }

    @Test("is stored whole where a row is longer than what is held in memory")
    func longRow() async throws {
        try await withScratch { scratch in
            let table = StoredTable(in: scratch)
            let base = try table.store("a\n")
            let long = String(17 << 20, of: "x")
            let next = try table.store("a\n\(long)\n", since: base, day: 2)
            guard case .base(let why) = next.outcome else { throw HostError(description: "\(next.outcome)") }
            #expect(why.contains("has a row of more than 8.00 MiB"))
        }
    }

    @Test("is stored whole where there is no room to find out what has changed")
    func noRoom() async throws {
        try await withScratch { scratch in
            try await withMemoryFileSystem(kibibytes: 8192, at: scratch) {
                let table = StoredTable(in: scratch, waiting: 64)
                let rows = (1...200_000).map { "row \($0)\n" }
                let base = try table.store(rows.joined())
                let next = try table.store(rows.shuffled().joined(), since: base, day: 2)
                guard case .base(let why) = next.outcome else { throw HostError(description: "\(next.outcome)") }
                #expect(why.contains("No space left on device"), "\(why)")
                #expect(next.files.count == 1)
            }
        }
    }
}

/// A table whose file is written by hand.
private struct StoredTable {
    let root: FilePath
    var memory = RowMemory()

    init(in root: FilePath, waiting: Int = 1024) {
        self.root = root
        memory.waiting = waiting
    }

    func store(_ rows: String, since former: StoredRows? = nil, day: Int = 1) throws -> StoredRows {
        let file = root.appending("dumped")
        try write(rows + "\\.\n\n\n", to: file)
        var storage = RowStorage(RowPolicy(), at: Timestamp("2026-01-0\(day)T00:00:00Z")!)
        storage.memory = memory
        return try storage.store(
            file, try FileScan(file).digest(), former: former.map(self.former), into: directory(day),
            spillingTo: root, until: StopSign())
    }

    /// As the set of the day before has it.
    func former(_ stored: StoredRows) -> FormerRows {
        let day = stored.files.contains { $0.name.string.contains("20260102") } ? 2 : 1
        return FormerRows(
            directory: directory(day),
            sealed: Dictionary(uniqueKeysWithValues: stored.files.map { ($0.name.string, $0.digest.sha256) }),
            dumpedSHA256: stored.dumpedSHA256, sha256: stored.sha256)
    }

    private func directory(_ day: Int) -> FilePath { root.appending("day\(day)") }
}
