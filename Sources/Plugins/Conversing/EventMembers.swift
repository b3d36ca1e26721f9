import DumpCore
import SystemPackage

/// Why a line is not an event, to be followed by the line.
struct EventFault: Error {
    var reason: String
}

/// The members of one JSON object that a plugin wrote, with the faults of those that are missing or something else.
struct EventMembers {
    private let members: [String: JSONValue]
    /// What it is, for messages: `finding`.
    private let subject: String

    init(_ members: [String: JSONValue], of subject: String) { (self.members, self.subject) = (members, subject) }

    func text(_ name: String) throws(EventFault) -> String {
        guard let text = try optionalText(name) else { throw missing(name, "text") }
        guard !text.isEmpty else { throw EventFault(reason: "'\(name)' of '\(subject)' is empty") }
        return text
    }

    func optionalText(_ name: String) throws(EventFault) -> String? {
        switch members[name] {
        case nil, .null: return nil
        case .text(let text): return text.onOneLine
        default: throw wrong(name, "text")
        }
    }

    /// The name of a part of the dump: shown everywhere, so it has to be one line of plain text as the plugin says it.
    func name(_ name: String) throws(EventFault) -> String {
        let text = try text(name)
        guard members[name] == .text(text) else {
            throw EventFault(reason: "'\(name)' of '\(subject)' must be one line of plain text")
        }
        return text
    }

    /// The name of a fact that a plugin may report.
    func factName(_ name: String) throws(EventFault) -> String {
        let code = try code(name)
        guard code != "plugin" else {
            throw EventFault(reason: "'\(name)' of '\(subject)' cannot be 'plugin': that one is Muster's own")
        }
        return code
    }

    /// A word for scripts.
    func code(_ name: String) throws(EventFault) -> String {
        let text = try text(name)
        let isWord =
            text.utf8.count <= 64 && text.utf8.allSatisfy { $0 == UInt8(ascii: "_") || $0.isSmallLetterOrDigit }
        guard isWord, text.utf8.first?.isSmallLetter == true else {
            throw EventFault(
                reason:
                    "'\(name)' of '\(subject)' must be a word of small letters, digits and _, such as server_refused")
        }
        return text
    }

    /// A count that must be there and not be negative.
    func count(_ name: String) throws(EventFault) -> Int64 {
        guard case .integer(let count)? = members[name], count >= 0 else {
            throw members[name] == nil ? missing(name, "a number") : wrong(name, "a whole number that is not negative")
        }
        return count
    }

    func flag(_ name: String) throws(EventFault) -> Bool {
        switch members[name] {
        case nil, .null: return false
        case .boolean(let flag): return flag
        default: throw wrong(name, "true or false")
        }
    }

    /// A file or directory in the dump: relative, without `.` and `..`.
    func path(_ name: String) throws(EventFault) -> FilePath {
        let text = try text(name)
        let path = FilePath(text)
        guard path.isRelative, !text.utf8.contains(0), path == path.lexicallyNormalized(),
            !path.components.contains("..")
        else {
            throw EventFault(reason: "'\(name)' of '\(subject)' must be a path in the dump's directory, without '..'")
        }
        return path
    }

    func texts(_ name: String) throws(EventFault) -> [String: String] {
        guard case .object(let texts)? = members[name] else {
            if members[name] == nil { return [:] }
            throw wrong(name, "an object of texts")
        }
        var found: [String: String] = [:]
        for (key, value) in texts {
            guard case .text(let text) = value else { throw wrong("\(name).\(key)", "text") }
            found[key] = text.onOneLine
        }
        return found
    }

    func counts(_ name: String) throws(EventFault) -> [String: Int64] {
        guard case .object(let counts)? = members[name] else {
            if members[name] == nil { return [:] }
            throw wrong(name, "an object of numbers")
        }
        let members = EventMembers(counts, of: "\(subject).\(name)")
        var found: [String: Int64] = [:]
        for key in counts.keys { found[key] = try members.count(key) }
        return found
    }

    func words(_ name: String) throws(EventFault) -> [String] {
        try elements(name).map { value throws(EventFault) in
            guard case .text(let text) = value else { throw wrong(name, "a list of texts") }
            return text.onOneLine
        }
    }

    func objects(_ name: String) throws(EventFault) -> [EventMembers] {
        try elements(name).map { value throws(EventFault) in
            guard case .object(let members) = value else { throw wrong(name, "a list of objects") }
            return EventMembers(members, of: "\(subject).\(name)")
        }
    }

    private func elements(_ name: String) throws(EventFault) -> [JSONValue] {
        switch members[name] {
        case nil, .null: return []
        case .list(let list): return list
        default: throw wrong(name, "a list")
        }
    }

    private func missing(_ name: String, _ what: String) -> EventFault {
        EventFault(reason: "'\(subject)' lacks '\(name)', which is \(what)")
    }

    private func wrong(_ name: String, _ what: String) -> EventFault {
        EventFault(reason: "'\(name)' of '\(subject)' must be \(what)")
    }
}

extension UInt8 {
    fileprivate var isSmallLetter: Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self) }
    fileprivate var isSmallLetterOrDigit: Bool {
        isSmallLetter || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self)
    }
}
