import DumpCore
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
        var annotation: ArraySlice<UInt8> = []
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
            if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
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
    fileprivate init?(line: ArraySlice<UInt8>, annotation: ArraySlice<UInt8>) {
        var words = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)[...]
        guard let name = words.popFirst(), let path = FilePath(escapedFromRoot: name) else { return nil }
        self.init(path)
        var seen = 0
        for word in words {
            guard let (key, value) = keyAndValue(word), take(key, value) else { return nil }
            seen |= 1 << (TreeEntry.keys.firstIndex(of: key) ?? 0)
        }
        guard seen & TreeEntry.required == TreeEntry.required else { return nil }
        guard !annotation.isEmpty else { return }
        for word in annotation.split(separator: UInt8(ascii: " ")) {
            guard let (key, value) = keyAndValue(word), annotate(key, value) else { return nil }
        }
    }

    private init(_ path: FilePath) {
        self.path = path
        kind = .file
        (mode, uid, gid, bytes, modified, node) = (0, 0, 0, 0, 0, 0)
        attributes = []
    }

    private static let keys = ["type", "mode", "uid", "gid", "time", "size", "link", "device", "sha256"]
    /// The first five of them.
    private static let required = 0b11111

    private mutating func take(_ key: String, _ value: ArraySlice<UInt8>) -> Bool {
        let text = String(decoding: value, as: UTF8.self)
        switch key {
        case "type": return set(&kind, FileStatus.Kind.mtreeNames.first { $0.name == text }?.kind)
        case "mode": return set(&mode, UInt32(text, radix: 8))
        case "uid": return set(&uid, UInt32(text))
        case "gid": return set(&gid, UInt32(text))
        case "size": return set(&bytes, Int64(text))
        case "time": return set(&modified, Int64(seconds: text))
        case "link": return set(&target, unescaped(value).map(Optional.some))
        case "device": return set(&node, UInt64(device: text))
        case "sha256": return set(&sha256, text.utf8.count == 64 ? .some(text) : nil)
        default: return false
        }
    }

    private mutating func annotate(_ key: String, _ value: ArraySlice<UInt8>) -> Bool {
        let text = String(decoding: value, as: UTF8.self)
        switch key {
        case "inode":
            guard let inode = UInt64(text) else { return false }
            source = Source(inode: inode, changed: 0)
            return true
        case "changed":
            guard let changed = Int64(seconds: text), source != nil else { return false }
            source?.changed = changed
            return true
        case "first-name": return set(&firstName, FilePath(escapedFromRoot: value).map(Optional.some))
        default:
            guard key.hasPrefix("xattr."), let name = unescaped(key.dropFirst(6).utf8),
                let bytes = [UInt8](hex: value)
            else { return false }
            attributes.append(ExtendedAttribute(name: String(decoding: name, as: UTF8.self), value: bytes))
            return true
        }
    }

    private func set<Value>(_ place: inout Value, _ value: Value?) -> Bool {
        guard let value else { return false }
        place = value
        return true
    }
}

private func keyAndValue(_ word: ArraySlice<UInt8>) -> (String, ArraySlice<UInt8>)? {
    guard let equals = word.firstIndex(of: UInt8(ascii: "=")) else { return nil }
    return (String(decoding: word[..<equals], as: UTF8.self), word[(equals + 1)...])
}

private func unescaped(_ text: some Collection<UInt8>) -> [UInt8]? {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count)
    var rest = text[...]
    while let byte = rest.popFirst() {
        guard byte == UInt8(ascii: "\\") else {
            bytes.append(byte)
            continue
        }
        let digits = rest.prefix(3)
        guard digits.count == 3, let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 8) else {
            return nil
        }
        bytes.append(value)
        rest = rest.dropFirst(3)
    }
    return bytes
}

extension FilePath {
    fileprivate init?(escapedFromRoot text: ArraySlice<UInt8>) {
        if text.elementsEqual(".".utf8) {
            self = FilePath()
            return
        }
        guard text.starts(with: "./".utf8), let path = FilePath(escaped: text.dropFirst(2)), path.isRelative,
            path.components.allSatisfy({ $0.kind == .regular })
        else { return nil }
        self = path
    }

    fileprivate init?(escaped text: ArraySlice<UInt8>) {
        guard let bytes = unescaped(text) else { return nil }
        self.init(bytes: bytes)
    }
}

extension Int64 {
    fileprivate init?(seconds text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[1].utf8.count == 9, let whole = Int64(parts[0]), let fraction = Int64(parts[1]),
            fraction >= 0
        else { return nil }
        let (product, overflow) = whole.multipliedReportingOverflow(by: 1_000_000_000)
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
    fileprivate init?(hex text: ArraySlice<UInt8>) {
        guard text.count.isMultiple(of: 2) else { return nil }
        self = []
        var rest = text
        while !rest.isEmpty {
            guard let byte = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else { return nil }
            append(byte)
            rest = rest.dropFirst(2)
        }
    }
}
