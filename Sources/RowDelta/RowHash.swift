import Glibc

/// A keyed hash of a row, of 128 bits.
struct RowHash: Equatable {
    var high: UInt64
    var low: UInt64
}

/// A secret that hashes of rows depend on, new for each comparison: rows that were made to collide do not.
///
/// Each 16 bytes are multiplied into two states of 64 bits with keys of their own. The halves of each product are folded together, as in
/// wyhash. One pass takes a tenth of a nanosecond for a byte. Two different rows have the same hash once in 2^120 pairs or so.
struct RowKey: Sendable {
    private let keys: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64)

    init() {
        var source = SystemRandomNumberGenerator()
        self.init(using: &source)
    }

    init(using source: inout some RandomNumberGenerator) {
        keys = (
            source.next(), source.next(), source.next(), source.next(), source.next(), source.next(), source.next(),
            source.next()
        )
    }

    func hash(_ row: UnsafeRawPointer, _ count: Int) -> RowHash {
        var (one, other) = (keys.4 ^ UInt64(count), keys.5 &+ UInt64(count))
        var (place, left) = (row, count)
        while left >= 16 {
            mix(&one, &other, word(place), word(place + 8))
            place += 16
            left -= 16
        }
        if left > 0 {
            let (first, last) = count >= 16 ? (word(row + count - 16), word(row + count - 8)) : Self.short(row, count)
            mix(&one, &other, first, last)
        }
        return RowHash(
            high: one &+ Self.fold(one ^ keys.6, other ^ keys.7), low: other &+ Self.fold(other ^ keys.6, one ^ keys.7))
    }

    /// For partners: half of it is of the first column alone, in which most rows that change stay what they are.
    func partnerHash(_ row: UnsafeRawPointer, _ count: Int) -> RowHash {
        let column = memchr(row, Int32(UInt8(ascii: "\t")), count).map { UnsafeRawPointer($0) - row } ?? count
        return RowHash(high: hash(row, column).high, low: hash(row, count).low)
    }

    @inline(__always)
    private func mix(_ one: inout UInt64, _ other: inout UInt64, _ first: UInt64, _ last: UInt64) {
        one = Self.fold(first ^ keys.0 ^ one, last ^ keys.1)
        other = Self.fold(first ^ keys.2, last ^ keys.3 ^ other)
    }

    @inline(__always)
    private static func fold(_ one: UInt64, _ other: UInt64) -> UInt64 {
        let product = one.multipliedFullWidth(by: other)
        return product.high ^ product.low
    }

    @inline(__always)
    private func word(_ place: UnsafeRawPointer) -> UInt64 { place.loadUnaligned(as: UInt64.self) }

    /// All bytes of a row of 1 to 15, some of them twice. Its length is in the hash too.
    private static func short(_ row: UnsafeRawPointer, _ count: Int) -> (UInt64, UInt64) {
        if count >= 8 { return (row.loadUnaligned(as: UInt64.self), (row + count - 8).loadUnaligned(as: UInt64.self)) }
        if count >= 4 {
            return (
                UInt64(row.loadUnaligned(as: UInt32.self)), UInt64((row + count - 4).loadUnaligned(as: UInt32.self))
            )
        }
        let bytes = UnsafeRawBufferPointer(start: row, count: count)
        return (UInt64(bytes[0]) << 8 | UInt64(bytes[count - 1]), UInt64(bytes[count / 2]))
    }
}

/// A multiset of rows, told from any other by the sum of their hashes.
struct RowSums: Equatable {
    private(set) var rows: Int64 = 0
    private(set) var bytes: Int64 = 0
    private var high: UInt64 = 0
    private var low: UInt64 = 0

    @inline(__always)
    mutating func add(_ hash: RowHash, _ count: Int) {
        let (sum, carries) = low.addingReportingOverflow(hash.low)
        low = sum
        high = high &+ hash.high &+ (carries ? 1 : 0)
        rows += 1
        bytes += Int64(count)
    }
}
