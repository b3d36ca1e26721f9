import DumpCore
import Glibc
import Linux
import SystemPackage

/// Reads an inventory, one entry after the other. Strict: only what `Inventory.bytes` writes is read.
public struct InventoryReader: ~Copyable {
    private var lines: ByteLines
    private var isBegun = false
    private var number = 0
    private var last: FilePath?

    /// - Parameter file: open for reading, at its begin, and not closed here.
    public init(_ file: FileDescriptor) { lines = ByteLines(file) }

    /// The next entry, or nil at the end. Throws `InventoryError` for a line that cannot be understood, or is out of order.
    public mutating func next() throws -> TreeEntry? {
        if !isBegun {
            guard let first = try nextLine(), first.elementsEqual(Inventory.firstLine.utf8) else {
                throw malformed("is no inventory")
            }
            isBegun = true
        }
        guard var line = try nextLine() else { return nil }
        var annotation: ArraySlice<UInt8>?
        if line.starts(with: Inventory.annotation.utf8) {
            annotation = line.dropFirst(Inventory.annotation.utf8.count)
            guard let next = try nextLine() else { throw malformed("is followed by nothing") }
            line = next
        }
        guard let entry = TreeEntry(line: line, annotation: annotation) else { throw malformed("is no entry") }
        if let last, !TreeEntry.precedes(last, entry.path) { throw malformed("is out of order") }
        last = entry.path
        return entry
    }

    private mutating func nextLine() throws -> ArraySlice<UInt8>? {
        number += 1
        return try lines.next()
    }

    private func malformed(_ what: String) -> InventoryError { InventoryError(line: number, problem: what) }
}

/// Why an inventory cannot be read.
public struct InventoryError: Error, CustomStringConvertible {
    public var line: Int
    public var problem: String
    public var description: String { "line \(line) \(problem)" }
}

/// The lines of a file, without their ends. One without its end was cut off, and is an error.
private struct ByteLines: ~Copyable {
    private let file: FileDescriptor
    private var buffer: [UInt8] = []
    private var start = 0
    private var isAtEnd = false

    init(_ file: FileDescriptor) { self.file = file }

    mutating func next() throws -> ArraySlice<UInt8>? {
        var searched = start
        while true {
            if let end = newline(from: searched) {
                defer { start = end + 1 }
                return buffer[start..<end]
            }
            if isAtEnd {
                guard start == buffer.count else { throw InventoryError(line: 0, problem: "was cut off") }
                return nil
            }
            searched = buffer.count - start
            try fill()
        }
    }

    private func newline(from place: Int) -> Int? {
        buffer.withUnsafeBytes { bytes in
            guard place < bytes.count, let base = bytes.baseAddress,
                let found = memchr(base + place, Int32(UInt8(ascii: "\n")), bytes.count - place)
            else { return nil }
            return UnsafeRawPointer(found) - base
        }
    }

    private mutating func fill() throws {
        var rest = Array(buffer[start...])
        let kept = rest.count
        let chunk = 256 * 1024
        rest.reserveCapacity(kept + chunk)
        rest.append(contentsOf: repeatElement(0, count: chunk))
        let count = try rest.withUnsafeMutableBytes {
            try file.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[kept...]))
        }
        rest.removeLast(chunk - count)
        isAtEnd = count == 0
        buffer = rest
        start = 0
    }
}

extension TreeEntry {
    /// Nil for what is not written as `Inventory` does.
    fileprivate init?(line: ArraySlice<UInt8>, annotation: ArraySlice<UInt8>?) {
        let read = line.withUnsafeBytes { line -> TreeEntry? in
            var words = Words(line)
            return TreeEntry(&words)
        }
        guard let read else { return nil }
        self = read
        guard let annotation else { return }
        let isRead = annotation.withUnsafeBytes { annotation in
            var words = Words(annotation)
            return annotate(&words)
        }
        guard isRead else { return nil }
    }

    /// The words of a line have an order; those that say what only some kinds have may be missing.
    private init?(_ words: inout Words) {
        guard let path = FilePath(escapedFromRoot: words.next()),
            let type = words.value(of: "type"), let kind = FileStatus.Kind(mtreeName: type),
            let mode = words.value(of: "mode").flatMap({ UInt32(digits: $0, radix: 8) }),
            let uid = words.value(of: "uid").flatMap({ UInt32(digits: $0) }),
            let gid = words.value(of: "gid").flatMap({ UInt32(digits: $0) }),
            let bytes = kind == .file ? words.value(of: "size").flatMap({ Int64(digits: $0) }) : 0,
            let modified = words.value(of: "time").flatMap({ Int64(seconds: $0) })
        else { return nil }
        self.path = path
        (self.kind, self.mode, self.uid, self.gid) = (kind, mode, uid, gid)
        (self.bytes, self.modified, node) = (bytes, modified, 0)
        attributes = []
        if let value = words.value(of: "link") {
            guard let target = unescaped(value) else { return nil }
            self.target = target
        }
        if let value = words.value(of: "device") {
            guard let node = UInt64(device: String(decoding: value, as: UTF8.self)) else { return nil }
            self.node = node
        }
        if let value = words.value(of: "sha256") {
            guard let sha256 = SHA256Digest(value) else { return nil }
            self.sha256 = sha256
        }
        guard words.isAtEnd else { return nil }
    }

    private mutating func annotate(_ words: inout Words) -> Bool {
        if let value = words.value(of: "inode") {
            guard let inode = UInt64(digits: value),
                let changed = words.value(of: "changed").flatMap({ Int64(seconds: $0) })
            else { return false }
            source = Source(inode: inode, changed: changed)
        }
        if let value = words.value(of: "first-name") {
            guard let name = FilePath(escapedFromRoot: value) else { return false }
            firstName = name
        }
        while !words.isAtEnd {
            guard let attribute = ExtendedAttribute(word: words.next()) else { return false }
            attributes.append(attribute)
        }
        return true
    }
}

/// The words of a line, one after the other.
private struct Words {
    private var rest: Slice<UnsafeRawBufferPointer>

    init(_ line: UnsafeRawBufferPointer) { rest = line[...] }

    var isAtEnd: Bool { rest.isEmpty }

    /// Empty at the end.
    mutating func next() -> Slice<UnsafeRawBufferPointer> {
        let end = rest.firstIndex(of: UInt8(ascii: " "))
        defer { rest = rest[(end.map { $0 + 1 } ?? rest.endIndex)...] }
        return rest[..<(end ?? rest.endIndex)]
    }

    /// What follows `key=`, if that is what comes next.
    mutating func value(of key: StaticString) -> Slice<UnsafeRawBufferPointer>? {
        let count = key.utf8CodeUnitCount
        guard rest.count > count, memcmp(rest.base.baseAddress! + rest.startIndex, key.utf8Start, count) == 0,
            rest[rest.startIndex + count] == UInt8(ascii: "=")
        else { return nil }
        return next().dropFirst(count + 1)
    }
}

extension FileStatus.Kind {
    fileprivate init?(mtreeName name: Slice<UnsafeRawBufferPointer>) {
        guard let known = Self.mtreeNames.first(where: { $0.name.utf8.elementsEqual(name) }) else { return nil }
        self = known.kind
    }
}

extension ExtendedAttribute {
    /// `xattr.NAME=HEX`.
    fileprivate init?(word: Slice<UnsafeRawBufferPointer>) {
        let prefix = "xattr.".utf8
        guard word.starts(with: prefix), let equals = word.firstIndex(of: UInt8(ascii: "=")),
            let name = unescaped(word[..<equals].dropFirst(prefix.count)),
            let value = [UInt8](hex: word[(equals + 1)...])
        else { return nil }
        self.init(name: String(decoding: name, as: UTF8.self), value: value)
    }
}

private func unescaped(_ text: Slice<UnsafeRawBufferPointer>) -> [UInt8]? {
    guard text.contains(UInt8(ascii: "\\")) else { return Array(text) }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count)
    var rest = text
    while let byte = rest.popFirst() {
        guard byte == UInt8(ascii: "\\") else {
            bytes.append(byte)
            continue
        }
        guard rest.count >= 3, let value = UInt8(digits: rest.prefix(3), radix: 8) else { return nil }
        bytes.append(value)
        rest = rest.dropFirst(3)
    }
    return bytes
}

extension FilePath {
    fileprivate init?(escapedFromRoot text: Slice<UnsafeRawBufferPointer>) {
        guard text.first == UInt8(ascii: ".") else { return nil }
        if text.count == 1 {
            self = FilePath()
            return
        }
        guard text.dropFirst().first == UInt8(ascii: "/"), var bytes = unescaped(text.dropFirst(2)),
            leadsDown(bytes)
        else { return nil }
        bytes.append(0)
        self = bytes.withUnsafeBytes { FilePath(platformString: $0.assumingMemoryBound(to: CChar.self).baseAddress!) }
    }
}

/// Whether a path stays below where it starts, and is written in the only way that it can be.
private func leadsDown(_ path: [UInt8]) -> Bool {
    // Of the name at hand: how many bytes it has, and whether all of them are dots.
    var (count, isDots) = (0, true)
    for byte in path + [UInt8(ascii: "/")] {
        guard byte != UInt8(ascii: "/") else {
            guard count > 0, !isDots || count > 2 else { return false }
            (count, isDots) = (0, true)
            continue
        }
        guard byte != 0 else { return false }
        count += 1
        isDots = isDots && byte == UInt8(ascii: ".")
    }
    return true
}

extension FixedWidthInteger {
    /// Digits and nothing else.
    fileprivate init?(digits: Slice<UnsafeRawBufferPointer>, radix: Self = 10) {
        guard !digits.isEmpty else { return nil }
        var number: Self = 0
        for digit in digits {
            guard let value = hexValue(of: digit), value < radix else { return nil }
            let (product, overflowed) = number.multipliedReportingOverflow(by: radix)
            let (sum, overflows) = product.addingReportingOverflow(Self(value))
            guard !overflowed, !overflows else { return nil }
            number = sum
        }
        self = number
    }
}

extension Int64 {
    fileprivate init?(seconds text: Slice<UnsafeRawBufferPointer>) {
        let isNegative = text.first == UInt8(ascii: "-")
        guard let dot = text.firstIndex(of: UInt8(ascii: ".")), text.endIndex - dot == 10,
            let magnitude = Int64(digits: isNegative ? text[..<dot].dropFirst() : text[..<dot]),
            let fraction = Int64(digits: text[(dot + 1)...])
        else { return nil }
        let (product, overflow) = (isNegative ? -magnitude : magnitude)
            .multipliedReportingOverflow(by: 1_000_000_000)
        guard !overflow else { return nil }
        self = product + fraction
    }
}

extension UInt64 {
    fileprivate init?(device text: String) {
        let parts = text.split(separator: ",")
        guard parts.count == 3, parts[0] == "native", let major = UInt32(parts[1]), let minor = UInt32(parts[2]) else {
            return nil
        }
        self = makeDevice(major, minor)
    }
}

extension [UInt8] {
    fileprivate init?(hex text: Slice<UnsafeRawBufferPointer>) {
        guard text.count.isMultiple(of: 2) else { return nil }
        self = []
        reserveCapacity(text.count / 2)
        var rest = text
        while let high = rest.popFirst(), let low = rest.popFirst() {
            guard let high = hexValue(of: high), let low = hexValue(of: low) else { return nil }
            append(high << 4 | low)
        }
    }
}
