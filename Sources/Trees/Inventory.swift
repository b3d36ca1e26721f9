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
        var piece: [UInt8] = []
        piece.append(line: firstLine)
        for entry in entries {
            let annotation = entry.annotation
            if !annotation.isEmpty { piece.append(line: Self.annotation + annotation) }
            piece.append(line: entry.line)
            guard piece.count >= 256 * 1024 else { continue }
            try sink(piece)
            piece.removeAll(keepingCapacity: true)
        }
        try sink(piece)
    }
}

extension [UInt8] {
    fileprivate mutating func append(line: String) {
        append(contentsOf: line.utf8)
        append(UInt8(ascii: "\n"))
    }
}

extension TreeEntry {
    fileprivate var line: String {
        var line =
            "\(path.escapedFromRoot) type=\(kind.mtreeName) mode=0\(String(mode, radix: 8)) uid=\(uid) gid=\(gid)"
        if kind == .file { line += " size=\(bytes)" }
        line += " time=\(modified.asSeconds)"
        if let target { line += " link=\(escaped(target))" }
        if node != 0 { line += " device=native,\(node.major),\(node.minor)" }
        if let sha256 { line += " sha256=\(sha256)" }
        return line
    }

    fileprivate var annotation: String {
        var words: [String] = []
        if let source { words += ["inode=\(source.inode)", "changed=\(source.changed.asSeconds)"] }
        if let firstName { words.append("first-name=\(firstName.escapedFromRoot)") }
        for attribute in attributes {
            words.append("xattr.\(escaped(attribute.name.utf8))=\(attribute.value.hex)")
        }
        return words.joined(separator: " ")
    }
}

extension FileStatus.Kind {
    static let mtreeNames: [(kind: Self, name: String)] = [
        (.file, "file"), (.directory, "dir"), (.symbolicLink, "link"), (.fifo, "fifo"), (.socket, "socket"),
        (.characterDevice, "char"), (.blockDevice, "block"),
    ]

    fileprivate var mtreeName: String { Self.mtreeNames.first { $0.kind == self }!.name }
}

extension FilePath {
    fileprivate var escapedFromRoot: String { isEmpty ? "." : "./" + escaped }

    fileprivate var escaped: String {
        withPlatformString { text in
            let bytes = UnsafeRawBufferPointer(start: text, count: length)
            // The rule is a name that needs no escape.
            return bytes.contains(where: mustEscape) ? Trees.escaped(bytes) : String(decoding: bytes, as: UTF8.self)
        }
    }
}

/// Bytes as printable ASCII, the rest in octal.
func escaped(_ bytes: some Sequence<UInt8>) -> String {
    var text = ""
    for byte in bytes {
        guard mustEscape(byte) else {
            text.unicodeScalars.append(Unicode.Scalar(byte))
            continue
        }
        let digits = String(byte, radix: 8)
        text += "\\" + String(repeating: "0", count: 3 - digits.count) + digits
    }
    return text
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
    /// Nanoseconds since 1970 as mtree writes them: seconds, a dot, nine digits. Before 1970 the fraction counts forward too.
    var asSeconds: String {
        let second: Int64 = 1_000_000_000
        let fraction = (self % second + second) % second
        let digits = String(fraction)
        return "\((self - fraction) / second).\(String(repeating: "0", count: 9 - digits.count))\(digits)"
    }
}

extension [UInt8] {
    fileprivate var hex: String {
        map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}
