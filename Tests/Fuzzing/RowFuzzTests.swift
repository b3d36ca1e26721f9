import Checksums
import DumpCore
import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@testable import RowDelta

@Suite("Tables as rows and changes")
struct RowFuzzTests {
    private static let rounds = getenv("MUSTER_FUZZ_ROUNDS").flatMap { Int(String(cString: $0)) } ?? 25
    private static let seed = getenv("MUSTER_FUZZ_SEED").flatMap { UInt64(String(cString: $0)) } ?? 1

    @Test("Any table comes back with all of its rows, whatever becomes of it from day to day")
    func days() async throws {
        try await withScratch { scratch in
            var tables = 0
            for round in 0..<UInt64(Self.rounds) {
                let seed = Self.seed &* 1_000_003 &+ round
                var life = try TableLife(in: scratch.appending("\(seed)"), seed: seed)
                for day in 1...Int.random(in: 2...7, using: &life.random) {
                    let problem = try await onOwnThread { [life] in
                        var life = life
                        let problem = try life.pass(day)
                        return (life, problem)
                    }
                    life = problem.0
                    tables += 1
                    try #require(problem.1 == nil, "seed \(seed), day \(day): \(problem.1 ?? "")")
                }
                if round % (Self.rounds > 1000 ? 250 : 25) == 0 { try await scripts(life, "seed \(seed)") }
                try FileTree(life.root).remove()
            }
            if Self.rounds > 1000 { print("\(tables) tables were put together and compared") }
        }
    }

    /// What the script makes of a table, with every awk that there is.
    private func scripts(_ life: TableLife, _ seed: String) async throws {
        guard let table = life.table else { return }
        try life.writeLists()
        for awk in ["mawk", "gawk", "busybox awk"] {
            let text = RowScript.text(next: "").replacing("\nawk ", with: "\n\(awk) ")
            try #require(text.ranges(of: "\n\(awk) ").count == 2)
            try write(text, to: life.root.appending(RowScript.file))
            let outcome = try await runProgram("dash", [life.root.appending(RowScript.file).string])
            #expect(outcome.succeeded, "\(seed) \(awk): \(outcome.lastErrors)")
            #expect(
                try FileScan(life.root.appending("1.dat")).digest().sha256 == table.sha256, "\(seed), \(awk)")
        }
    }
}

/// A table that changes from day to day, and what is stored of it.
private struct TableLife: Sendable {
    let root: FilePath
    var random: Seeded
    private var rows: [[UInt8]] = []
    private var before: [[UInt8]] = []
    private var tail = Array("\\.\n\n\n".utf8)
    private(set) var table: StoredRows?
    private var former: FormerRows?
    private var now = Timestamp(milliseconds: 1_764_460_800_000)
    private var policy = RowPolicy()
    private var memory = RowMemory()
    private let alphabet: [[UInt8]]
    /// Whether rows have a first column that few others have, and may be long.
    private let hasKeys: Bool

    init(in root: FilePath, seed: UInt64) throws {
        self.root = root
        random = Seeded(seed)
        try FileSystem.createDirectory(root)
        let words = ["", "a", "b", "\t", "\\\\", "\\.", "\\N", "\\n", "0", "17 20", "\u{E9}", "\u{1}", "\r", "rows"]
        alphabet = words.map { Array($0.utf8) } + [[0xFF], [0xC3]]
        hasKeys = Bool.random(using: &random)
        policy.mostChanges = .random(in: 1...5, using: &random)
        if Bool.random(using: &random) {
            memory = RowMemory(
                waiting: 1 << Int.random(in: 0...6, using: &random), positions: .random(in: 1...9, using: &random),
                step: .random(in: 1...200, using: &random))
        }
        rows = (0..<[0, 1, 7, 60, 400, 1500].randomElement(using: &random)!).map { _ in row() }
    }

    /// Lets a day pass. Returns what is wrong.
    mutating func pass(_ day: Int) throws -> String? {
        before = rows
        change()
        now = Timestamp(milliseconds: now.milliseconds + Int64.random(in: -86_400_000...172_800_000, using: &random))
        let damage = day > 1 && Int.random(in: 0..<8, using: &random) == 0 ? try damaged() : nil
        let file = root.appending("dumped")
        try write(rows.flatMap { $0 + [10] } + tail, to: file)
        let digest = try FileScan(file).digest()
        var storage = RowStorage(policy, at: now)
        storage.memory = memory
        try FileSystem.createDirectory(root.appending("day\(day)"))
        let directory = root.appending("day\(day)/t")
        let stored = try storage.store(
            file, digest, former: former, into: directory, spillingTo: root, until: StopSign())
        let problem = try problem(stored, directory, damage)
        // As when the set before the last goes.
        if let former { try FileTree(former.directory).remove() }
        table = stored
        former = FormerRows(
            directory: directory,
            sealed: Dictionary(uniqueKeysWithValues: stored.files.map { ($0.name.string, $0.digest.sha256) }),
            dumpedSHA256: stored.dumpedSHA256, sha256: stored.sha256)
        return problem
    }

    private func problem(_ stored: StoredRows, _ directory: FilePath, _ damage: String?) throws -> String? {
        if (try? FileSystem.status(of: root.appending("dumped"))) != nil { return "the dumped file is still there" }
        if let damage {
            guard case .base = stored.outcome else { return "built on \(damage)" }
        }
        if damage == nil, let fault = fault(of: stored.outcome) { return fault }
        let names = try FileSystem.names(in: directory)
        guard Set(names) == Set(stored.files.map(\.name)), names.count == stored.files.count else {
            return "\(names) and not \(stored.files.map(\.name))"
        }
        for (name, digest) in stored.files where try FileScan(directory.appending(name)).digest() != digest {
            return "\(name) has another digest"
        }
        let copy = root.appending("copy")
        let output = try FileSystem.createFile(copy)
        let assembly = try output.closeAfter {
            try RowAssembly(of: RowChain(in: directory), to: output, until: StopSign())
        }
        let bytes = try FileSystem.bytes(of: copy)
        try FileSystem.removeFile(copy)
        guard assembly.sha256 == stored.sha256, try sha256(of: bytes) == stored.sha256, bytes.count == stored.bytes
        else { return "put together, it is not what is stored" }
        guard bytes.suffix(tail.count) == tail[...] else { return "another end" }
        let found = bytes.dropLast(tail.count).split(separator: 10, omittingEmptySubsequences: false).dropLast()
        guard found.map(Array.init).sorted(by: precedes) == rows.sorted(by: precedes) else {
            return "\(found.count) rows and not \(rows.count), or others"
        }
        return nil
    }

    /// A table is stored whole for a reason, and as no more changes than there are.
    private func fault(of outcome: StoredRows.Outcome) -> String? {
        switch outcome {
        case .base(let why):
            let reasons = [
                "it is the first", "more than half of its", "more rows that are gone than rows", "has a base of",
            ]
            return reasons.contains(where: why.contains) ? nil : "stored whole: \(why)"
        case .unchanged: return count(rows, without: before) + count(before, without: rows) == 0 ? nil : "not changed"
        case .change(let added, let removed, let changed, _):
            let expected = (Int64(count(rows, without: before)), Int64(count(before, without: rows)))
            let found = (added + changed, removed + changed)
            return expected == found ? nil : "\(found) came and went, not \(expected)"
        }
    }

    /// How many of some rows are not among others, each as often as it is there.
    private func count(_ some: [[UInt8]], without others: [[UInt8]]) -> Int {
        var left = Dictionary(others.map { ($0, 1) }) { $0 + $1 }
        return some.count { row in
            guard let count = left[row], count > 0 else { return true }
            left[row] = count - 1
            return false
        }
    }

    private func precedes(_ one: [UInt8], _ other: [UInt8]) -> Bool { one.lexicographicallyPrecedes(other) }

    // MARK: What becomes of it

    private mutating func row() -> [UInt8] {
        var row = (0..<Int.random(in: 0...6, using: &random)).flatMap { _ in alphabet.randomElement(using: &random)! }
        if Int.random(in: 0..<200, using: &random) == 0 { row += [UInt8](repeating: 120, count: 3000) }
        if hasKeys {
            row = Array("\(Int.random(in: 0...3000, using: &random))\tthis is what stays of it".utf8) + row
            if Int.random(in: 0..<500, using: &random) == 0 { row += [UInt8](repeating: 121, count: 20_000) }
        }
        return row == Array("\\.".utf8) ? [] : row
    }

    private mutating func change() {
        if Int.random(in: 0..<30, using: &random) == 0 { tail = Array((tail.count == 3 ? "\\.\n\n\n" : "\\.\n").utf8) }
        switch Int.random(in: 0..<12, using: &random) {
        case 0: rows.shuffle(using: &random)
        case 1: rows = (0..<[0, 3, 90].randomElement(using: &random)!).map { _ in row() }
        case 2: rows = Array(rows.dropFirst(rows.count / 2)) + (0..<10).map { _ in row() }
        case 3: break
        case 4: rows += rows.prefix(rows.count / 3)
        case 5: rows.reverse()
        case 6: rows = Array(rows.dropFirst(rows.count / 3) + rows.prefix(rows.count / 3))
        case 7: rows += (0..<Int.random(in: 0...20, using: &random)).map { _ in row() }
        default: for _ in 0...rows.count / 10 { edit() }
        }
    }

    private mutating func edit() {
        guard let place = rows.indices.randomElement(using: &random) else { return rows.append(row()) }
        switch Int.random(in: 0..<5, using: &random) {
        case 0: rows[place] = row()
        case 1...2: rows[place] = edited(rows[place])
        case 1: rows.remove(at: place)
        default: rows.insert(row(), at: place)
        }
    }

    /// With other text in the place of some, in one piece or two.
    private mutating func edited(_ row: [UInt8]) -> [UInt8] {
        var row = row
        for _ in 0...Int.random(in: 0...1, using: &random) {
            let start = Int.random(in: 0...row.count, using: &random)
            let end = Int.random(in: start...min(row.count, start + 5), using: &random)
            row.replaceSubrange(start..<end, with: alphabet.randomElement(using: &random)!)
        }
        return row == Array("\\.".utf8) ? [] : row
    }

    /// Damages the last set, and says how. Nil if there is nothing to damage.
    private mutating func damaged() throws -> String? {
        guard let former, let file = table?.files.randomElement(using: &random), file.digest.bytes > 0 else {
            return nil
        }
        let path = former.directory.appending(file.name)
        if Bool.random(using: &random) {
            try FileSystem.removeFile(path)
            return "\(file.name), which was missing"
        }
        var bytes = try FileSystem.bytes(of: path)
        let place = Int.random(in: bytes.indices, using: &random)
        bytes[place] = Bool.random(using: &random) && bytes[place] != 10 ? 10 : bytes[place] ^ 1
        try write(bytes, to: path)
        return "\(file.name), in which a byte was another"
    }

    private func write(_ bytes: [UInt8], to path: FilePath) throws {
        let file = try FileDescriptor.open(
            path, .writeOnly, options: [.create, .truncate], permissions: .ownerReadWrite)
        try file.closeAfter { _ = try file.writeAll(bytes) }
    }

    /// What the script reads.
    func writeLists() throws {
        guard let table, let former else { return }
        try FileSystem.createDirectory(root.appending("rows"))
        try FileSystem.rename(former.directory, to: root.appending("rows/t"))
        try write(Array("1.dat t\n".utf8), to: root.appending("rows/tables"))
        try write(Array("\(table.sha256)  1.dat\n".utf8), to: root.appending("rows/sha256"))
    }
}
