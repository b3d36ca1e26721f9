import ArgumentParser
import Catalog
import Documents
import DumpCore

struct DiffCommand: MusterCommand {
    static let manual = CommandManual(
        "diff", "Compare two archives: dumps, databases, tables, files.",
        story: """
            Muster compares what both archives record of themselves and reads nothing else. The two may be in different repositories. It \
            counts rows and does not compare them: a table with changed rows but as many of them shows as a changed file.
            """,
        examples: [
            "muster diff web1-nightly-2026-11-22 latest": "Show what changed since that archive.",
            "muster diff 20261122T010000Z latest --json": "Name the first archive by the start of its run's id.",
        ], statuses: .of(.archiveFailed))

    @Argument(help: archiveHelp, completion: .archives) var before: String
    @Argument(help: "The archive to compare it with, named in the same way.") var after: String
    @OptionGroup var options: CatalogOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let catalog = try options.catalog(log: output.logger())
        let difference = try await reading {
            try await SetDifference.between(catalog.find(before)[0], catalog.find(after)[0])
        }
        guard output.json else { return Console.shared.result(difference.text) }
        try difference.printJSON { Console.shared.result($0) }
    }
}

extension SetDifference {
    private static let pathsAtOnce = 1000

    /// Prints the document in pieces of whole lines: the paths of all files are too many to be held at once.
    fileprivate func printJSON(_ show: (String) -> Void) throws {
        var (lines, paths) = ([Substring](), files.sorted())
        for line in try json(self).split(atASCII: "\n", omittingEmptySubsequences: false) {
            guard let placeholder = paths.placeholder(in: line) else {
                lines.append(line)
                continue
            }
            show(lines.joined(separator: "\n"))
            lines = []
            var list = JSONLines(indentation: line.prefix { $0 == " " }, atOnce: Self.pathsAtOnce)
            try paths.forEach(of: placeholder) { path in try list.add(path, show) }
            try list.finish(show)
        }
        show(lines.joined(separator: "\n"))
    }
}

/// The elements of a list in a document, printed some at a time.
private struct JSONLines {
    let indentation: Substring
    let atOnce: Int
    private var elements: [String] = []

    init(indentation: Substring, atOnce: Int) { (self.indentation, self.atOnce) = (indentation, atOnce) }

    mutating func add(_ element: String, _ show: (String) -> Void) throws {
        if elements.count == atOnce { show(try printed() + ",") }
        elements.append(element)
    }

    mutating func finish(_ show: (String) -> Void) throws { show(try printed()) }

    /// Without a comma after the last one.
    private mutating func printed() throws -> String {
        defer { elements.removeAll(keepingCapacity: true) }
        return try elements.map { indentation + (try SnakeCaseJSON.line($0)) }.joined(separator: ",\n")
    }
}

extension SetDifference {
    fileprivate var text: String {
        ([before.text("from"), after.text("to")] + dumps.flatMap(\.lines)).asLines
    }
}

extension SetDifference.Side {
    fileprivate func text(_ word: String) -> String {
        "\(word) \(archive) in \(repository): run \(runID), \(startedAt.local), \(formatBytes(bytes))"
    }
}

extension DumpDifference {
    fileprivate var lines: [String] {
        let sizes = arrow(bytesBefore, bytesAfter, formatBytes)
        guard change != .same else { return ["dump \(name): same, \(sizes)"] }
        return ["dump \(name): \(change.word), \(sizes)" + (change == .changed ? ", \(files.counts)" : "")]
            + databases.flatMap(\.lines) + (change == .changed ? files.lines : [])
    }
}

extension DatabaseDifference {
    fileprivate var lines: [String] {
        let rows = arrow(rowsBefore, rowsAfter) { "\($0)" }
        guard change != .same else { return ["  \(name): same, \(rows) rows"] }
        let files = change == .changed ? ", \(filesChanged) files differ" : ""
        return ["  \(name): \(change.word), \(rows) rows\(files)"]
            + (change == .changed ? tables.map { "    \($0.text)" } : [])
    }
}

extension TableDifference {
    fileprivate var text: String {
        let change = rowsBefore == nil ? "new, " : rowsAfter == nil ? "gone, " : ""
        return "\(schema).\(name): \(change)\(arrow(rowsBefore, rowsAfter) { "\($0)" }) rows"
    }
}

extension FileDifference {
    fileprivate var counts: String { "\(changed.count) files changed, \(added.count) new, \(removed.count) gone" }

    /// The first of each kind.
    fileprivate var lines: [String] {
        let all =
            changed.first.map { "  changed \($0)" } + added.first.map { "  new     \($0)" }
            + removed.first.map { "  gone    \($0)" }
        let more = count > 20 ? ["  and \(count - 20) more files, see --json"] : []
        return all.prefix(20) + more
    }
}

extension Change {
    fileprivate var word: String {
        switch self {
        case .added: "new"
        case .removed: "gone"
        case .changed: "changed"
        case .same: "same"
        }
    }
}

/// `before → after`, or the one there is.
private func arrow(_ before: Int64?, _ after: Int64?, _ text: (Int64) -> String) -> String {
    switch (before, after) {
    case (let before?, let after?) where before != after: "\(text(before)) → \(text(after))"
    default: (after ?? before).map(text) ?? ""
    }
}
