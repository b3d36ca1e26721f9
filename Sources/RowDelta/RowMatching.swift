import DumpCore
import Glibc
import Linux
import SystemPackage

/// Finds out which rows of a table are new and which are gone, in one pass over both and in memory of a fixed size.
///
/// Most rows follow each other as they did before, and are compared byte by byte. Where they do not, the next few of both sides are looked
/// through. Rows that are not among these wait, by their hashes, for a partner anywhere else. There may be any number of equal rows.
struct RowMatching: ~Copyable {
    private var old: RowStream
    private var new: RowStream
    private var waitingOld: WaitingRows
    private var waitingNew: WaitingRows
    private var spill: RowSpill?
    private let directory: FilePath
    private let memory: RowMemory
    /// For the partners.
    private let key = RowKey()
    /// For the sums: two rows that have the same hash by one key have others by the other.
    private let proof: RowKey
    private var sums = RowSums()
    /// How often nothing was found near by, one time after the other.
    private var misses = 0

    private static let nearby = 48
    private static let mostMisses = 32

    /// - Parameters:
    ///   - proof: of the sums of rows.
    ///   - directory: for what does not fit into memory.
    init(
        of old: consuming RowStream, with new: consuming RowStream, proving proof: RowKey,
        spillingTo directory: FilePath, within memory: RowMemory = RowMemory()
    ) {
        self.old = old
        self.new = new
        (self.proof, self.directory, self.memory) = (proof, directory, memory)
        waitingOld = WaitingRows(capacity: memory.waiting)
        waitingNew = WaitingRows(capacity: memory.waiting)
    }

    /// Throws when most rows are new.
    mutating func perform() throws(RowDeltaError) -> RowDifference {
        while try step() {}
        let pairing = try RowPairing(in: directory, within: memory)
        var added: Int64 = 0
        let rows = sums.rows
        func add(_ old: RowSpill.Entry?, _ new: RowSpill.Entry?) throws(RowDeltaError) {
            guard (old == nil) != (new == nil) else { return }
            if let old { try pairing.add(old, of: .old) }
            guard let new else { return }
            added += 1
            guard added <= rows / 2 else { throw .notWorthIt("more than half of its rows are new") }
            try pairing.add(new, of: .new)
        }
        if let spill {
            try spillAll(to: spill)
            freeWaiting()
            try spill.join(add)
            self.spill = nil
        } else {
            try waitingOld.empty { entry throws(RowDeltaError) in try add(RowSpill.Entry(entry), nil) }
            try waitingNew.empty { entry throws(RowDeltaError) in try add(nil, RowSpill.Entry(entry)) }
            freeWaiting()
        }
        try pairing.finish()
        return RowDifference(
            removed: pairing.removed, added: pairing.added, changed: pairing.pairs, formerTail: old.tail,
            tail: new.tail, sums: sums, digests: old.digests)
    }

    private mutating func freeWaiting() {
        waitingOld = WaitingRows(capacity: 1)
        waitingNew = WaitingRows(capacity: 1)
    }

    /// False once all rows were passed.
    private mutating func step() throws(RowDeltaError) -> Bool {
        guard try old.fill(1) > 0 else {
            guard try new.fill(1) > 0 else { return false }
            _ = try passNew()
            return true
        }
        guard try new.fill(1) > 0 else {
            _ = try passOld()
            return true
        }
        if isSame(0, 0) {
            passPair()
        } else if try !passNearby() {
            try passFar()
        }
        return true
    }

    @inline(__always)
    private func isSame(_ place: Int, _ other: Int) -> Bool {
        let (one, two) = (old.row(place), new.row(other))
        return one.count == two.count && memcmp(old.bytes(of: one), new.bytes(of: two), one.count) == 0
    }

    private mutating func passPair() {
        let row = new.row(0)
        sums.add(proof.hash(new.bytes(of: row), row.count), row.count)
        old.pass()
        new.pass()
    }

    /// Looks for the first rows of both among the next of the other. False if they are not there.
    private mutating func passNearby() throws(RowDeltaError) -> Bool {
        // In a table that is in another order altogether, to look costs more than it gains.
        if misses >= Self.mostMisses, misses % 8 != 0 { return false }
        let (ofOld, ofNew) = (try old.fill(Self.nearby), try new.fill(Self.nearby))
        for place in 1..<Self.nearby {
            let (hasOld, hasNew) = (place < ofOld, place < ofNew)
            guard hasOld || hasNew else { break }
            let steps: (Int, Int)
            if hasOld, hasNew, isSame(place, place) {
                steps = (place, place)
            } else if hasOld, isSame(place, 0) {
                steps = (place, 0)
            } else if hasNew, isSame(0, place) {
                steps = (0, place)
            } else {
                continue
            }
            misses = 0
            for _ in 0..<steps.0 { _ = try passOld() }
            for _ in 0..<steps.1 { _ = try passNew() }
            return true
        }
        return false
    }

    /// Passes the first rows, and those that follow as long as they have partners among the ones that wait.
    private mutating func passFar() throws(RowDeltaError) {
        misses += 1
        if try passOld() {
            while try areDifferent(), try passOld() {}
        }
        guard try areDifferent() else { return }
        if try passNew() {
            while try areDifferent(), try passNew() {}
        }
    }

    /// Whether both have a next row, and another one.
    private mutating func areDifferent() throws(RowDeltaError) -> Bool {
        guard try old.fill(1) > 0, try new.fill(1) > 0 else { return false }
        return !isSame(0, 0)
    }

    /// Returns whether the row had a partner that waited.
    private mutating func passOld() throws(RowDeltaError) -> Bool {
        let row = old.row(0)
        let hash = key.partnerHash(old.bytes(of: row), row.count)
        old.pass()
        if waitingNew.take(hash) { return true }
        if waitingOld.isFull { try spillAll() }
        waitingOld.add(hash, row.line)
        return false
    }

    private mutating func passNew() throws(RowDeltaError) -> Bool {
        let row = new.row(0)
        let bytes = new.bytes(of: row)
        sums.add(proof.hash(bytes, row.count), row.count)
        let hash = key.partnerHash(bytes, row.count)
        let offset = new.offset(of: row)
        new.pass()
        if waitingOld.take(hash) { return true }
        if waitingNew.isFull { try spillAll() }
        waitingNew.add(hash, offset)
        return false
    }

    private mutating func spillAll() throws(RowDeltaError) {
        if let spill { return try spillAll(to: spill) }
        let spill = try RowSpill(in: directory, parts: 512)
        self.spill = spill
        try spillAll(to: spill)
    }

    private mutating func spillAll(to spill: RowSpill) throws(RowDeltaError) {
        func add(_ entry: WaitingRows.Entry, of side: RowSpill.Side) throws(RowDeltaError) {
            guard try spill.add(RowSpill.Entry(entry), of: side) else {
                throw RowDeltaError(.scatteredRows, "too many rows have another place than before")
            }
        }
        try waitingOld.empty { entry throws(RowDeltaError) in try add(entry, of: .old) }
        try waitingNew.empty { entry throws(RowDeltaError) in try add(entry, of: .new) }
    }
}

extension RowSpill.Entry {
    fileprivate init(_ entry: WaitingRows.Entry) { self.init(hash: entry.hash, position: entry.position) }
}
