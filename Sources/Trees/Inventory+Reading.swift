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
                throw malformed("is not an inventory")
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
        guard let entry = TreeEntry(line: line, annotation: annotation) else { throw malformed("is not an entry") }
        if let last, !TreeEntry.precedes(last, entry.path) { throw malformed("is out of order") }
        last = entry.path
        return entry
    }

    private mutating func nextLine() throws -> ArraySlice<UInt8>? {
        number += 1
        do { return try lines.next() } catch is ByteLines.CutOff { throw malformed("was cut off") }
    }

    private func malformed(_ what: String) -> InventoryError { InventoryError(line: number, problem: what) }
}

extension Inventory {
    /// The entry that `lines(of:)` wrote; nil for anything else.
    public static func entry(of lines: [UInt8]) -> TreeEntry? {
        var parts = lines.split(separator: newline, omittingEmptySubsequences: false)[...]
        guard parts.popLast()?.isEmpty == true, let line = parts.popLast() else { return nil }
        guard let annotation = parts.popLast() else { return TreeEntry(line: line, annotation: nil) }
        guard parts.isEmpty, annotation.starts(with: Self.annotation.utf8) else { return nil }
        return TreeEntry(line: line, annotation: annotation.dropFirst(Self.annotation.utf8.count))
    }
}

private let newline = UInt8(ascii: "\n")

/// Why an inventory cannot be read.
public struct InventoryError: Error, CustomStringConvertible {
    public var line: Int
    public var problem: String
    public var description: String { "line \(line) \(problem)" }
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
