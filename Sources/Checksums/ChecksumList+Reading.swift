import Linux
import SystemPackage

extension ChecksumList {
    /// The list that these bytes spell. Strict: only what `bytes` writes is read.
    ///
    /// Throws `ChecksumError(.malformedList)` for any other format and for a path that is there twice. It also throws for a last line
    /// without its end, because such a file was cut off. The message names the line.
    public init(parsing bytes: [UInt8]) throws(ChecksumError) {
        var lines: [Line] = []
        var seen: Set<FilePath> = []
        var rest = bytes[...]
        while let end = rest.firstIndex(of: newline) {
            let number = lines.count + 1
            guard let line = Line(parsing: rest[..<end]) else {
                throw Self.malformed(number, "is not a SHA-256, two spaces and a path")
            }
            guard seen.insert(line.path).inserted else {
                throw Self.malformed(number, "names \(line.path) for the second time")
            }
            lines.append(line)
            rest = rest[(end + 1)...]
        }
        guard rest.isEmpty else { throw Self.malformed(lines.count + 1, "has no end: the list was cut off") }
        self.lines = lines
    }

    /// What the list that these bytes spell says of one path; nil if it does not name it. Nothing else of it is kept.
    ///
    /// Throws as `init(parsing:)` does, but does not see that a path is there twice.
    public static func sha256(of path: FilePath, in bytes: [UInt8]) throws(ChecksumError) -> String? {
        var (number, found, rest) = (0, String?.none, bytes[...])
        while let end = rest.firstIndex(of: newline) {
            number += 1
            guard let line = Line(parsing: rest[..<end]) else {
                throw malformed(number, "is not a SHA-256, two spaces and a path")
            }
            if line.path == path { found = line.sha256 }
            rest = rest[(end + 1)...]
        }
        guard rest.isEmpty else { throw malformed(number + 1, "has no end: the list was cut off") }
        return found
    }

    static func malformed(_ number: Int, _ what: String) -> ChecksumError {
        ChecksumError(.malformedList, "line \(number) \(what)")
    }
}

extension ChecksumList.Line {
    /// A line without its end; nil for what `bytes` would not write.
    public init?(parsing line: ArraySlice<UInt8>) {
        let isEscaped = line.first == backslash
        let digest = line.dropFirst(isEscaped ? 1 : 0).prefix(64)
        let afterDigest = line[digest.endIndex...]
        guard digest.count == 64, digest.allSatisfy(isLowerHexDigit), afterDigest.starts(with: "  ".utf8),
            let name = unescaped(afterDigest.dropFirst(2), isEscaped: isEscaped), let path = FilePath(bytes: name)
        else { return nil }
        self.init(sha256: String(decoding: digest, as: UTF8.self), path: path)
    }
}

/// The name that was written as `written`, or nil when it was not written by these rules.
private func unescaped(_ written: ArraySlice<UInt8>, isEscaped: Bool) -> [UInt8]? {
    var name: [UInt8] = []
    var rest = written
    while let byte = rest.popFirst() {
        guard byte == backslash else {
            // A byte that must be escaped and is not.
            guard escapes[byte] == nil else { return nil }
            name.append(byte)
            continue
        }
        guard let letter = rest.popFirst(), let meant = escapes.first(where: { $0.value == letter }) else { return nil }
        name.append(meant.key)
    }
    // The leading backslash says that something is escaped, and must be true.
    return isEscaped == (name.count != written.count) ? name : nil
}

private func isLowerHexDigit(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"): true
    default: false
    }
}
