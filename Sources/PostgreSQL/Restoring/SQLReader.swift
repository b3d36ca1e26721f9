/// Takes a script apart, byte by byte.
struct SQLReader {
    private let script: [UInt8]
    private var position = 0

    init(_ script: [UInt8]) { self.script = script }

    mutating func statements() -> [SQLStatement] {
        var statements: [SQLStatement] = []
        var tokens: [SQLToken] = []
        while let token = nextToken() {
            if token.kind == .symbol, token.value == [UInt8(ascii: "\\")] {
                skipLine()
                tokens = []
            } else if token.kind == .symbol, token.value == [UInt8(ascii: ";")] {
                if let statement = statement(tokens) { statements.append(statement) }
                tokens = []
            } else {
                tokens.append(token)
            }
        }
        if let statement = statement(tokens) { statements.append(statement) }
        return statements
    }

    private func statement(_ tokens: [SQLToken]) -> SQLStatement? {
        guard let start = tokens.first?.place.lowerBound, let end = tokens.last?.place.upperBound else { return nil }
        let moved = tokens.map { token in
            SQLToken(
                kind: token.kind, value: token.value,
                place: (token.place.lowerBound - start)..<(token.place.upperBound - start))
        }
        return SQLStatement(bytes: Array(script[start..<end]), tokens: moved)
    }

    private func byte(_ offset: Int = 0) -> UInt8? {
        position + offset < script.count ? script[position + offset] : nil
    }

    private mutating func nextToken() -> SQLToken? {
        skipSpace()
        guard let first = byte() else { return nil }
        let start = position
        switch first {
        case UInt8(ascii: "\""): return quoted(.name, from: start, by: first, escapes: false)
        case UInt8(ascii: "'"): return quoted(.string, from: start, by: first, escapes: false)
        case UInt8(ascii: "E") where byte(1) == UInt8(ascii: "'"):
            position += 1
            return quoted(.string, from: start, by: UInt8(ascii: "'"), escapes: true)
        case let first where first.isPartOfWord:
            while let next = byte(), next.isPartOfWord { position += 1 }
            let word = script[start..<position].map { (0x41...0x5A).contains($0) ? $0 + 0x20 : $0 }
            return SQLToken(kind: .word, value: word, place: start..<position)
        default:
            position += 1
            return SQLToken(kind: .symbol, value: [first], place: start..<position)
        }
    }

    /// From the opening quote on to the closing one. Two quotes stand for one.
    private mutating func quoted(_ kind: SQLToken.Kind, from start: Int, by quote: UInt8, escapes: Bool) -> SQLToken {
        position += 1
        var value: [UInt8] = []
        while let next = byte() {
            position += 1
            if next == quote {
                guard byte() == quote else { break }
                position += 1
            } else if escapes, next == UInt8(ascii: "\\"), let escaped = byte() {
                position += 1
                value.append(escaped)
                continue
            }
            value.append(next)
        }
        return SQLToken(kind: kind, value: value, place: start..<position)
    }

    private mutating func skipSpace() {
        while let next = byte() {
            if next == 0x20 || (0x09...0x0D).contains(next) {
                position += 1
            } else if next == UInt8(ascii: "-"), byte(1) == UInt8(ascii: "-") {
                skipLine()
            } else {
                return
            }
        }
    }

    private mutating func skipLine() {
        while let next = byte(), next != UInt8(ascii: "\n") { position += 1 }
    }
}

extension UInt8 {
    /// A letter, a digit, `_`, `$`, or any byte of a character that is not in ASCII.
    fileprivate var isPartOfWord: Bool {
        switch self {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"), UInt8(ascii: "$"), 0x80...0xFF: true
        default: false
        }
    }
}
