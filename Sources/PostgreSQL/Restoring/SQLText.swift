import DumpCore

/// Text on its way into a statement.
extension String {
    /// As an identifier. Always quoted: a name may hold anything, and may be a keyword of a newer server.
    var asIdentifier: String { "\"\(marking("\"", with: "\""))\"" }

    /// As a string, whatever `standard_conforming_strings` is.
    var asLiteral: String { "E'\(marking("\\", with: "\\").marking("'", with: "'"))'" }

    /// What makes it the same name to PostgreSQL. Swift calls two spellings of one letter equal.
    var nameBytes: [UInt8] { Array(utf8) }
}

/// A word of SQL, with its place in the text.
struct SQLToken: Sendable, Equatable {
    enum Kind: Sendable { case word, name, string, symbol }

    var kind: Kind
    /// What it stands for: a word in lower case, a quoted name or string without its quotes.
    var value: [UInt8]
    var place: Range<Int>

    /// Whether it is this keyword, which is in lower case.
    func isWord(_ word: String) -> Bool { kind == .word && value == Array(word.utf8) }

    /// The name that it is, quoted or not.
    var name: [UInt8]? { kind == .word || kind == .name ? value : nil }
}

/// One statement of a script, as pg_dump and pg_dumpall write them.
struct SQLStatement: Sendable, Equatable {
    /// In UTF-8, without the semicolon.
    var bytes: [UInt8]
    /// Places are within `bytes`.
    var tokens: [SQLToken]

    var text: String { String(decoding: bytes, as: UTF8.self) }

    /// Whether it begins with these keywords.
    func begins(_ words: String...) -> Bool {
        tokens.count >= words.count && zip(tokens, words).allSatisfy { $0.isWord($1) }
    }

    /// The name after these keywords, wherever they are.
    func name(after words: String...) -> [UInt8]? {
        place(after: words).flatMap { tokens[$0].name }
    }

    /// The same with `name` in place of what follows the first DATABASE.
    func naming(database name: String) -> SQLStatement? {
        guard let place = place(after: ["database"]), tokens[place].name != nil else { return nil }
        var bytes = bytes
        bytes.replaceSubrange(tokens[place].place, with: name.asIdentifier.utf8)
        return SQLStatement.all(in: bytes).first
    }

    /// The same up to and without the word.
    func before(_ word: String) -> SQLStatement {
        guard let place = tokens.firstIndex(where: { $0.isWord(word) }), place > 0 else { return self }
        return SQLStatement(bytes: Array(bytes[..<tokens[place - 1].place.upperBound]), tokens: Array(tokens[..<place]))
    }

    private func place(after words: [String]) -> Int? {
        guard tokens.count > words.count else { return nil }
        return (0..<(tokens.count - words.count)).first { start in
            words.indices.allSatisfy { tokens[start + $0].isWord(words[$0]) }
        }.map { $0 + words.count }
    }
}

extension SQLStatement {
    /// The statements of a script in UTF-8. Comments and lines for psql itself are left out, and so is a statement that such a line ends.
    static func all(in script: [UInt8]) -> [SQLStatement] {
        var reader = SQLReader(script)
        return reader.statements()
    }
}
