import Linux
import SystemPackage
import TestSupport
import Testing

/// The tables of keys in a page: which keys a document has, by the heading that they stand below.
///
/// A first cell names keys in backticks, `a.b` for the key `b` in what is at `a`. A link to a heading says that what is there is described
/// below it. "The names vary" says that what is there is an object of any keys.
struct KeyTables {
    private let page: String
    private let sections: [String: [Row]]

    struct Row {
        var names: [String]
        var text: String

        /// The page, empty for the same one, and the heading.
        var link: (page: String, heading: String)? {
            text.firstMatch(of: /\]\(([a-z-]*(?:\.md)?)#([a-z-]+)\)/).map { (String($0.output.1), String($0.output.2)) }
        }

        var isOpen: Bool { text.contains("names vary") }
    }

    /// - Parameter page: in `docs/`.
    init(_ page: String) throws {
        self.page = page
        var sections: [String: [Row]] = [:]
        var heading = ""
        for line in try read(Repository.root.pushing("docs").pushing(FilePath(page))).split(separator: "\n") {
            if line.hasPrefix("#") { heading = Self.anchor(line.drop { $0 == "#" }.dropFirst()) }
            guard line.hasPrefix("| `") else { continue }
            let cells = line.dropFirst(2).split(separator: " | ", maxSplits: 1)
            let names = cells[0].matches(of: /`([^`]+)`/).map { String($0.output.1) }
            sections[heading, default: []].append(Row(names: names, text: String(cells[1])))
        }
        self.sections = sections
    }

    /// As GitHub makes it of a heading.
    static func anchor(_ heading: Substring) -> String {
        heading.lowercased().filter { $0.isLetter || $0.isNumber || " -_".contains($0) }.replacing(" ", with: "-")
    }

    func rows(below heading: String) -> [Row] { sections[heading] ?? [] }

    var keys: Set<String> {
        Set(sections.filter { $0.key != "exit-status" }.values.joined().flatMap(\.names))
    }

    /// The keys of a document that no table has, each with the way to it.
    func unknownKeys(of value: JSONTree, below heading: String, at path: String = "") throws -> [String] {
        switch value {
        case .list(let elements):
            return try elements.flatMap { try unknownKeys(of: $0, below: heading, at: path) }
        case .mapping(let members):
            return try members.flatMap { key, value in
                try unknownKeys(ofMember: value, below: heading, at: path.isEmpty ? key : "\(path).\(key)")
            }
        default: return []
        }
    }

    private func unknownKeys(
        ofMember value: JSONTree, below heading: String, at path: String
    ) throws -> [String] {
        let rows = rows(below: heading)
        guard let row = rows.first(where: { $0.names.contains(path) }) else {
            guard rows.contains(where: { $0.names.contains { $0.hasPrefix(path + ".") } }) else {
                return ["\(path) below #\(heading) of \(page)"]
            }
            return try unknownKeys(of: value, below: heading, at: path)
        }
        if row.isOpen { return [] }
        guard let link = row.link else { return try unknownKeys(of: value, below: heading, at: path) }
        let linked = link.page.isEmpty ? self : try KeyTables(link.page)
        return try linked.unknownKeys(of: value, below: link.heading)
    }
}
