import SystemPackage

/// One pattern in the syntax of gitignore(5): `*.tmp`, `/cache/`, `logs/**/old`, `!keep.tmp`.
///
/// Compares bytes: names need not be UTF-8.
struct ExcludePattern: Sendable {
    /// As it was written.
    let text: String
    /// Whether it takes back what an earlier pattern leaves out.
    let isNegated: Bool
    private let matchesDirectoriesOnly: Bool
    /// The parts between slashes, from the root of the tree; `**` stands for any number of directories.
    private let parts: [[UInt8]]

    /// Nil for a pattern without a name in it.
    init?(_ text: String) {
        self.text = text
        var rest = Array(text.utf8)[...]
        isNegated = rest.first == UInt8(ascii: "!")
        if isNegated { rest = rest.dropFirst() }
        matchesDirectoriesOnly = rest.last == UInt8(ascii: "/")
        if matchesDirectoriesOnly { rest = rest.dropLast() }
        // A slash at the begin or in the middle ties it to the root; any other may match at every depth.
        let isTied = rest.contains(UInt8(ascii: "/"))
        if rest.first == UInt8(ascii: "/") { rest = rest.dropFirst() }
        let parts = rest.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map(Array.init)
        guard parts.allSatisfy({ !$0.isEmpty }) else { return nil }
        self.parts = isTied ? parts : [Self.anyDirectories] + parts
    }

    private static let anyDirectories = Array("**".utf8)

    func matches(_ path: [[UInt8]], isDirectory: Bool) -> Bool {
        guard isDirectory || !matchesDirectoriesOnly else { return false }
        return Self.match(parts[...], path[...])
    }

    private static func match(_ parts: ArraySlice<[UInt8]>, _ path: ArraySlice<[UInt8]>) -> Bool {
        guard let part = parts.first else { return path.isEmpty }
        let rest = parts.dropFirst()
        guard part != anyDirectories else {
            // At the end it stands for everything inside, and so for one name at least.
            if rest.isEmpty { return !path.isEmpty }
            return path.indices.contains { match(rest, path[$0...]) }
        }
        guard let name = path.first, glob(part[...], name[...]) else { return false }
        return match(rest, path.dropFirst())
    }

    private static func glob(_ pattern: ArraySlice<UInt8>, _ name: ArraySlice<UInt8>) -> Bool {
        guard let first = pattern.first else { return name.isEmpty }
        switch first {
        case UInt8(ascii: "*"):
            let rest = pattern.drop { $0 == UInt8(ascii: "*") }
            return rest.isEmpty || (name.startIndex...name.endIndex).contains { glob(rest, name[$0...]) }
        case UInt8(ascii: "?"):
            return !name.isEmpty && glob(pattern.dropFirst(), name.dropFirst())
        case UInt8(ascii: "["):
            guard let set = CharacterSet(pattern) else { return literal(pattern, name) }
            guard let byte = name.first, set.contains(byte) else { return false }
            return glob(set.rest, name.dropFirst())
        case UInt8(ascii: "\\") where pattern.count > 1:
            return literal(pattern.dropFirst(), name)
        default:
            return literal(pattern, name)
        }
    }

    private static func literal(_ pattern: ArraySlice<UInt8>, _ name: ArraySlice<UInt8>) -> Bool {
        pattern.first == name.first && glob(pattern.dropFirst(), name.dropFirst())
    }
}

/// `[a-z_]`, `[!0-9]` at the begin of a pattern.
private struct CharacterSet {
    private let isNegated: Bool
    private let members: ArraySlice<UInt8>
    /// What follows it.
    let rest: ArraySlice<UInt8>

    /// Nil where there is no end to it.
    init?(_ pattern: ArraySlice<UInt8>) {
        var inside = pattern.dropFirst()
        isNegated = inside.first == UInt8(ascii: "!") || inside.first == UInt8(ascii: "^")
        if isNegated { inside = inside.dropFirst() }
        // A bracket right at the begin is a member.
        guard let end = inside.dropFirst().firstIndex(of: UInt8(ascii: "]")) else { return nil }
        members = inside[..<end]
        rest = inside[(end + 1)...]
    }

    func contains(_ byte: UInt8) -> Bool {
        var found = false
        var left = members
        while let low = left.popFirst() {
            if left.first == UInt8(ascii: "-"), left.count > 1 {
                let high = left[left.startIndex + 1]
                left = left.dropFirst(2)
                found = found || (low <= byte && byte <= high)
            } else {
                found = found || low == byte
            }
        }
        return found != isNegated
    }
}
