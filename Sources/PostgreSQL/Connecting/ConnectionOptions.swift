import CLibPQ
import DumpCore
import Settings

/// A libpq connection string taken apart: what it says itself, without defaults from the environment or a service file.
struct ConnectionOptions: Sendable, Equatable {
    struct Option: Sendable, Equatable {
        var keyword: String
        var value: String
    }

    private(set) var options: [Option]

    /// Takes any form that libpq knows: `key=value` pairs, a URI, or nothing at all. No error repeats what may be a password.
    init(parsing text: String) throws(DumpError) {
        var complaint: UnsafeMutablePointer<CChar>?
        guard let parsed = PQconninfoParse(text, &complaint) else {
            defer { PQfreemem(complaint) }
            throw Self.malformed(text, complaint.map { String(cString: $0) } ?? "")
        }
        defer { PQconninfoFree(parsed) }
        options = []
        for option in Self.all(from: parsed) {
            guard let value = option.val else { continue }
            guard !Self.isSecret(option) else { throw Self.holdsPassword }
            options.append(Option(keyword: String(cString: option.keyword), value: String(cString: value)))
        }
    }

    /// The value of an option that the string gives. Setting replaces or adds it; nil removes it.
    subscript(keyword: String) -> String? {
        get { options.first { $0.keyword == keyword }?.value }
        set {
            options.removeAll { $0.keyword == keyword }
            if let newValue { options.append(Option(keyword: keyword, value: newValue)) }
        }
    }

    /// As a connection string for a program's command line. Quoted throughout: a database called `a=b` stays a name.
    var conninfo: String { options.map { "\($0.keyword)=\(Self.quoted($0.value))" }.joined(separator: " ") }

    /// A connection string that says one thing.
    static func conninfo(_ keyword: String, _ value: String) -> String { "\(keyword)=\(quoted(value))" }

    /// For people: quoted only where it must be.
    var shown: String {
        options.map { option in
            let isPlain = option.value.utf8.allSatisfy {
                $0 > 0x20 && $0 != UInt8(ascii: "'") && $0 != UInt8(ascii: "\\")
            }
            return "\(option.keyword)=\(isPlain ? option.value : Self.quoted(option.value))"
        }.joined(separator: " ")
    }

    private static func quoted(_ value: String) -> String { "'" + value.marking("'", "\\", with: "\\") + "'" }

    private static func all(from first: UnsafeMutablePointer<PQconninfoOption>) -> [PQconninfoOption] {
        Array(sequence(first: first) { $0 + 1 }.lazy.map(\.pointee).prefix { $0.keyword != nil })
    }

    /// libpq marks passwords with an asterisk, and some newer secrets not at all.
    private static func isSecret(_ option: PQconninfoOption) -> Bool {
        String(cString: option.dispchar) == "*"
            || ["oauth_client_secret", "scram_client_key", "scram_server_key"].contains(String(cString: option.keyword))
    }

    private static func malformed(_ text: String, _ complaint: String) -> DumpError {
        if text.lowercased().contains("passw") { return holdsPassword }
        // libpq repeats the part that it stumbles over, such as a whole URI. Only what looks like a name is safe to show.
        if let name = complaint.firstMatch(of: /^invalid connection option "([a-z_]+)"/)?.1 {
            let near = nearestWord(to: String(name), among: known).map { "Did you mean '\($0)'?" }
            return DumpError(.settings, "libpq knows no option '\(name)'", hint: near)
        }
        return DumpError(
            .settings, "libpq does not understand this connection string",
            hint: "Write it as 'host=db.example user=backup' or as 'postgresql://backup@db.example/'.")
    }

    /// Every keyword that libpq knows.
    private static var known: [String] {
        guard let parsed = PQconninfoParse("", nil) else { return [] }
        defer { PQconninfoFree(parsed) }
        return all(from: parsed).map { String(cString: $0.keyword) }
    }

    private static let holdsPassword = DumpError(
        .settings, "a password is never written in a job file",
        hint: "Leave it out here and write password: {file: /path/to/it} beside connection.")
}
