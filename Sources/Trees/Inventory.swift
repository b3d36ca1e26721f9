import DumpCore
import Linux
import SystemPackage

/// What a tree holds, as a file in the format of mtree(5), full paths, which `mtree` and `bsdtar` read too.
///
/// One line for each entry, in the order of `TreeEntry.precedes`. Bytes of a path that are no printable ASCII, and those that mean something to
/// mtree, are written as `\` and three octal digits. What mtree has no keyword for stands in a comment on the line before:
/// `#: inode=7 changed=1700000000.000000001 first-name=./a xattr.user.comment=6869`; values of attributes are in hex.
public enum Inventory {
    static let firstLine = "#mtree"
    static let annotation = "#: "

    /// The inventory of a tree, piece by piece.
    public static func write(_ entries: [TreeEntry], to sink: ([UInt8]) throws -> Void) rethrows {
        var rest = entries[...]
        try write(lines: { rest.popFirst().map { lines(of: $0) } }, to: sink)
    }

    /// The same of entries that are lines already, in the order of `TreeEntry.precedes`.
    ///
    /// - Parameter next: the lines of the next entry, or nil after the last one.
    public static func write(lines next: () throws -> [UInt8]?, to sink: ([UInt8]) throws -> Void) rethrows {
        var piece = Array("\(firstLine)\n".utf8)
        while let lines = try next() {
            piece += lines
            guard piece.count >= 256 * 1024 else { continue }
            try sink(piece)
            piece.removeAll(keepingCapacity: true)
        }
        try sink(piece)
    }

    /// What an inventory says of one entry: its lines, with their ends.
    public static func lines(of entry: TreeEntry) -> [UInt8] {
        var lines: [UInt8] = []
        lines.append(annotationOf: entry)
        lines.append(entry)
        return lines
    }
}

extension [UInt8] {
    fileprivate mutating func append(_ entry: TreeEntry) {
        append(fromRoot: entry.path)
        append(" type=", entry.kind.mtreeName)
        append(" mode=0")
        append(number: UInt64(entry.mode), radix: 8)
        append(" uid=")
        append(number: UInt64(entry.uid))
        append(" gid=")
        append(number: UInt64(entry.gid))
        if entry.kind == .file {
            append(" size=")
            append(number: UInt64(entry.bytes))
        }
        append(" time=")
        append(seconds: entry.modified)
        if let target = entry.target {
            append(" link=")
            append(escaped: target)
        }
        if entry.node != 0 { append(" device=native,\(entry.node.major),\(entry.node.minor)") }
        if let sha256 = entry.sha256 {
            append(" sha256=")
            append(hexOf: sha256)
        }
        append("\n")
    }

    fileprivate mutating func append(annotationOf entry: TreeEntry) {
        guard entry.source != nil || entry.firstName != nil || !entry.attributes.isEmpty else { return }
        // Each word follows a space.
        append(Inventory.annotation.dropLast())
        if let source = entry.source {
            append(" inode=")
            append(number: source.inode)
            append(" changed=")
            append(seconds: source.changed)
        }
        if let firstName = entry.firstName {
            append(" first-name=")
            append(fromRoot: firstName)
        }
        for attribute in entry.attributes {
            append(" xattr.")
            append(escaped: attribute.name)
            append("=")
            for byte in attribute.value { append(number: UInt64(byte), radix: 16, width: 2) }
        }
        append("\n")
    }

    private mutating func append(_ words: Substring...) {
        for word in words { append(contentsOf: word.utf8) }
    }

    private mutating func append(fromRoot path: FilePath) {
        append(".")
        guard !path.isEmpty else { return }
        append("/")
        path.withPlatformString { text in append(escaped: UnsafeRawBufferPointer(start: text, count: path.length)) }
    }

    /// Printable ASCII as it is, the rest in octal.
    private mutating func append(escaped bytes: some Collection<UInt8>) {
        for byte in bytes {
            guard mustEscape(byte) else {
                append(byte)
                continue
            }
            append(UInt8(ascii: "\\"))
            append(number: UInt64(byte), radix: 8, width: 3)
        }
    }

    /// Nanoseconds since 1970 as mtree writes them: seconds, a dot, nine digits. Before 1970 the fraction counts forward too.
    fileprivate mutating func append(seconds time: Int64) {
        let second: Int64 = 1_000_000_000
        let fraction = (time % second + second) % second
        let whole = (time - fraction) / second
        if whole < 0 { append(UInt8(ascii: "-")) }
        append(number: whole.magnitude)
        append(UInt8(ascii: "."))
        append(number: UInt64(fraction), width: 9)
    }
}

extension FileStatus.Kind {
    static let mtreeNames: [(kind: Self, name: Substring)] = [
        (.file, "file"), (.directory, "dir"), (.symbolicLink, "link"), (.fifo, "fifo"), (.socket, "socket"),
        (.characterDevice, "char"), (.blockDevice, "block"),
    ]

    fileprivate var mtreeName: Substring { Self.mtreeNames.first { $0.kind == self }!.name }
}

private func mustEscape(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "\\"), UInt8(ascii: "#"), UInt8(ascii: "="), UInt8(ascii: "*"), UInt8(ascii: "?"),
        UInt8(ascii: "["):
        true
    case 0x21...0x7E: false
    default: true
    }
}

extension Int64 {
    /// Nanoseconds since 1970 as an inventory has them.
    var asSeconds: String {
        var text: [UInt8] = []
        text.append(seconds: self)
        return String(decoding: text, as: UTF8.self)
    }
}
