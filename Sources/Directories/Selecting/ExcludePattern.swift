import DumpCore
import Settings

/// One pattern in the syntax of gitignore(5): `*.tmp`, `/cache/`, `logs/**/old`, `!keep.tmp`.
///
/// Compares bytes: names need not be UTF-8. It differs from git where git's pattern would match nothing: `./x` means `/x`, and a `[`
/// without `]` and a backslash at the end stand for themselves.
struct ExcludePattern: Sendable {
    /// As it was written.
    let text: String
    /// Whether it takes back what an earlier pattern leaves out.
    let isNegated: Bool
    private let matchesDirectoriesOnly: Bool
    /// The parts between slashes, from the root of the tree.
    private let parts: [Part]

    private enum Part: WildToken {
        /// `**`: any number of directories, or, at the end, everything inside.
        case anyDirectories
        case name(NamePattern)

        var isWild: Bool { if case .anyDirectories = self { true } else { false } }

        /// The one name that it matches, or nil.
        var literal: [UInt8]? {
            if case .name(let pattern) = self { pattern.literal } else { nil }
        }

        func matches(_ name: [UInt8]) -> Bool {
            if case .name(let pattern) = self { pattern.matches(name) } else { false }
        }
    }

    /// Nil for a pattern without a name in it, for one that leads out of the tree, and for one with an invalid class of characters.
    init?(_ text: String) {
        self.text = text
        var rest = Self.withoutBlanks(Array(text.utf8)[...])
        isNegated = rest.first == UInt8(ascii: "!")
        if isNegated { rest = rest.dropFirst() }
        matchesDirectoriesOnly = rest.last == UInt8(ascii: "/")
        if matchesDirectoriesOnly { rest = rest.dropLast() }
        if matchesDirectoriesOnly, !Self.endsUnescaped(rest) { rest = rest.dropLast() }
        // A slash at the start or in the middle ties it to the root; any other may match at every depth.
        let isTied = rest.contains(UInt8(ascii: "/"))
        if rest.first == UInt8(ascii: "/") { rest = rest.dropFirst() }
        var parts: [Part] = isTied ? [] : [.anyDirectories]
        for text in Self.split(rest) where !(isTied && text.elementsEqual(".".utf8)) {
            // Nothing in a directory is called so.
            guard !text.elementsEqual(".".utf8), !text.elementsEqual("..".utf8) else { return nil }
            if text.count > 1, text.allSatisfy({ $0 == UInt8(ascii: "*") }) {
                parts.append(.anyDirectories)
            } else if let name = NamePattern(text) {
                parts.append(.name(name))
            } else {
                return nil
            }
        }
        guard !parts.isEmpty else { return nil }
        self.parts = parts
    }

    /// Without blanks at the end, but for one that a backslash protects.
    private static func withoutBlanks(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var rest = text
        while rest.last == UInt8(ascii: " "), endsUnescaped(rest.dropLast()) { rest = rest.dropLast() }
        return rest
    }

    /// Between its slashes. A slash may have a backslash before it.
    private static func split(_ text: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
        text.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map {
            endsUnescaped($0) || $0.endIndex == text.endIndex ? $0 : $0.dropLast()
        }
    }

    /// Whether what follows does not have a backslash of its own: those at the end are pairs.
    private static func endsUnescaped(_ text: ArraySlice<UInt8>) -> Bool {
        text.reversed().prefix { $0 == UInt8(ascii: "\\") }.count.isMultiple(of: 2)
    }

    func matches(_ path: [[UInt8]], isDirectory: Bool) -> Bool {
        guard isDirectory || !matchesDirectoriesOnly else { return false }
        return matchesWildly(parts, path, lastTakesAtLeastOne: true)
    }

    /// The names of the directories that it leads through, from the root of the tree on, as far as each is one name.
    var literalDirectories: [[UInt8]] {
        parts.dropLast().map(\.literal).prefix { $0 != nil }.compactMap { $0 }
    }

    /// What was meant by a pattern that begins with the path of the tree, from the root of the file system on. Nil if this one does not.
    ///
    /// - Parameter path: absolute.
    func relative(to path: [[UInt8]]) -> String? {
        let written = text.drop { $0 == "!" }
        guard !path.isEmpty, written.hasBytePrefix("/"), parts.count > path.count,
            zip(parts, path).allSatisfy({ $0.matches($1) })
        else { return nil }
        let rest = written.split(atASCII: "/", omittingEmptySubsequences: false).dropFirst(path.count + 1)
        return (isNegated ? "!/" : "/") + rest.joined(separator: "/")
    }
}

/// The pattern of one name: `*.tmp`, `x[0-9]?`.
private struct NamePattern {
    private enum Token: WildToken {
        case any
        case anyOne
        case literal(UInt8)
        case oneOf(CharacterSet)

        var isWild: Bool { if case .any = self { true } else { false } }

        func matches(_ byte: UInt8) -> Bool {
            switch self {
            case .any: false
            case .anyOne: true
            case .literal(let literal): literal == byte
            case .oneOf(let set): set.contains(byte)
            }
        }
    }

    private let tokens: [Token]

    /// Nil if it is empty, or has an invalid class.
    init?(_ text: ArraySlice<UInt8>) {
        var tokens: [Token] = []
        var rest = text
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "*"): tokens.append(.any)
            case UInt8(ascii: "?"): tokens.append(.anyOne)
            case UInt8(ascii: "\\"): tokens.append(.literal(rest.popFirst() ?? byte))
            case UInt8(ascii: "["):
                switch CharacterSet.parse(rest) {
                case .set(let set, let after):
                    tokens.append(.oneOf(set))
                    rest = after
                case .unended: tokens.append(.literal(byte))
                case .unknownClass: return nil
                }
            default: tokens.append(.literal(byte))
            }
        }
        guard !tokens.isEmpty else { return nil }
        self.tokens = tokens
    }

    func matches(_ name: [UInt8]) -> Bool {
        matchesWildly(tokens, name)
    }

    /// The one name that it matches, or nil.
    var literal: [UInt8]? {
        var bytes: [UInt8] = []
        for token in tokens {
            guard case .literal(let byte) = token else { return nil }
            bytes.append(byte)
        }
        return bytes
    }
}

/// `[a-z_]`, `[!0-9]`, `[[:digit:]]`, in bytes.
private struct CharacterSet {
    enum Parsed {
        case set(CharacterSet, rest: ArraySlice<UInt8>)
        /// It has no end: the bracket stands for itself.
        case unended
        case unknownClass
    }

    private var isNegated = false
    private var ranges: [ClosedRange<UInt8>] = []

    /// - Parameter text: what follows the bracket.
    static func parse(_ text: ArraySlice<UInt8>) -> Parsed {
        var set = CharacterSet()
        var rest = text
        set.isNegated = rest.first == UInt8(ascii: "!") || rest.first == UInt8(ascii: "^")
        if set.isNegated { rest = rest.dropFirst() }
        // A bracket right at the start is a member.
        var isFirst = true
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "]"), !isFirst { return .set(set, rest: rest) }
            isFirst = false
            if byte == UInt8(ascii: "["), let kind = rest.first, ":.=".utf8.contains(kind) {
                guard let members = takeClass(from: &rest) else { return .unknownClass }
                set.ranges += members
            } else {
                guard let range = takeRange(from: byte, &rest) else { return .unended }
                set.ranges.append(range)
            }
        }
        return .unended
    }

    /// The rest of `[:digit:]`.
    private static func takeClass(from rest: inout ArraySlice<UInt8>) -> [ClosedRange<UInt8>]? {
        guard let end = rest.dropFirst().firstIndex(of: UInt8(ascii: ":")),
            rest[end...].dropFirst().first == UInt8(ascii: "]"), rest.first == UInt8(ascii: ":")
        else { return nil }
        defer { rest = rest[(end + 2)...] }
        return classes[String(decoding: rest[(rest.startIndex + 1)..<end], as: UTF8.self)]
    }

    /// One member, or those from it to another one. Nil if the pattern ends there.
    private static func takeRange(from first: UInt8, _ rest: inout ArraySlice<UInt8>) -> ClosedRange<UInt8>? {
        guard let low = unescaped(first, &rest) else { return nil }
        guard rest.first == UInt8(ascii: "-"), let next = rest.dropFirst().first, next != UInt8(ascii: "]") else {
            return low...low
        }
        rest = rest.dropFirst(2)
        guard let high = unescaped(next, &rest) else { return nil }
        // git takes the first of a range that goes backwards.
        return low...max(low, high)
    }

    private static func unescaped(_ byte: UInt8, _ rest: inout ArraySlice<UInt8>) -> UInt8? {
        byte == UInt8(ascii: "\\") ? rest.popFirst() : byte
    }

    func contains(_ byte: UInt8) -> Bool { ranges.contains { $0.contains(byte) } != isNegated }

    private static let classes: [String: [ClosedRange<UInt8>]] = [
        "alnum": [0x30...0x39, 0x41...0x5A, 0x61...0x7A], "alpha": [0x41...0x5A, 0x61...0x7A],
        "blank": [0x20...0x20, 0x09...0x09], "cntrl": [0x00...0x1F, 0x7F...0x7F], "digit": [0x30...0x39],
        "graph": [0x21...0x7E], "lower": [0x61...0x7A], "print": [0x20...0x7E],
        "punct": [0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E], "space": [0x20...0x20, 0x09...0x0D],
        "upper": [0x41...0x5A], "xdigit": [0x30...0x39, 0x41...0x46, 0x61...0x66],
    ]
}
