/// Rows of one side that have no partner yet, by their hashes. Its size is fixed.
struct WaitingRows: ~Copyable {
    struct Entry {
        var hash: RowHash
        /// The number of its line, or its offset.
        var position: Int64
        /// The next entry of its bucket, or of those that are free; from 1, 0 is none.
        fileprivate var next: UInt32
        fileprivate var isUsed: Bool
    }

    private let capacity: Int
    private let entries: UnsafeMutablePointer<Entry>
    private let buckets: UnsafeMutablePointer<UInt32>
    private var used = 0
    private var free: UInt32 = 0
    private(set) var count = 0

    /// - Parameter capacity: a power of two.
    init(capacity: Int) {
        self.capacity = capacity
        entries = .allocate(capacity: capacity)
        buckets = .allocate(capacity: capacity)
        buckets.initialize(repeating: 0, count: capacity)
    }

    deinit {
        entries.deallocate()
        buckets.deallocate()
    }

    var isFull: Bool { free == 0 && used == capacity }

    /// Removes one row with that hash. False if there is none.
    mutating func take(_ hash: RowHash) -> Bool {
        let bucket = buckets + bucket(of: hash)
        var (place, before) = (bucket.pointee, UInt32(0))
        while place > 0 {
            let entry = entries + Int(place - 1)
            if entry.pointee.hash == hash {
                if before == 0 {
                    bucket.pointee = entry.pointee.next
                } else {
                    entries[Int(before - 1)].next = entry.pointee.next
                }
                entry.pointee.isUsed = false
                entry.pointee.next = free
                free = place
                count -= 1
                return true
            }
            (before, place) = (place, entry.pointee.next)
        }
        return false
    }

    /// To be called only while it is not full.
    mutating func add(_ hash: RowHash, _ position: Int64) {
        var place = free
        if place > 0 {
            free = entries[Int(place - 1)].next
        } else {
            used += 1
            place = UInt32(used)
        }
        let bucket = buckets + bucket(of: hash)
        (entries + Int(place - 1)).initialize(
            to: Entry(hash: hash, position: position, next: bucket.pointee, isUsed: true))
        bucket.pointee = place
        count += 1
    }

    /// Removes all rows.
    mutating func empty<Failure: Error>(_ body: (Entry) throws(Failure) -> Void) throws(Failure) {
        for place in 0..<used where entries[place].isUsed { try body(entries[place]) }
        buckets.update(repeating: 0, count: capacity)
        (used, free, count) = (0, 0, 0)
    }

    @inline(__always)
    private func bucket(of hash: RowHash) -> Int { Int(truncatingIfNeeded: hash.low) & (capacity - 1) }
}
