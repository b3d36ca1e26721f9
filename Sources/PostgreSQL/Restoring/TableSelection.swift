import DumpCore
import SystemPackage

/// What of an archive makes some of its tables, and what of them has to be left out.
struct TableSelection: Sendable {
    /// In the archive's order, for `pg_restore --use-list`.
    private(set) var entries: [ArchiveEntries.Entry] = []
    /// The tables asked for with their partitions.
    private(set) var tables: [ArchiveEntries.Entry] = []
    private(set) var findings: [Finding] = []

    /// Relative to the directory of the archive: what has to be there to restore them.
    var files: [String] { entries.compactMap(\.file) }

    /// One line for each entry. pg_restore reads no more of it than the number.
    var list: String { entries.map { "\($0.id);\n" }.joined() }

    private let archive: ArchiveEntries
    private let byID: [Int: ArchiveEntries.Entry]
    private var chosen: Set<Int> = []

    /// - Parameters:
    ///   - pieces: as `SCHEMA.NAME`.
    ///   - rowsOnly: without indexes, constraints and triggers.
    init(_ pieces: [String], of archive: ArchiveEntries, rowsOnly: Bool) {
        self.archive = archive
        byID = Dictionary(archive.entries.map { ($0.id, $0) }) { first, _ in first }
        let all = archive.entries.filter { $0.kind == "TABLE" }
        for piece in pieces {
            if let found = all.first(where: { $0.qualifiedName.nameBytes == piece.nameBytes }) {
                tables.append(found)
            } else {
                findings.append(
                    .unknown("table", piece, among: all.map(\.qualifiedName), code: "restore_table_unknown"))
            }
        }
        addPartitions()
        for table in tables { include(table.id) }
        addWhatBelongs(rowsOnly: rowsOnly)
        entries = archive.entries.filter { chosen.contains($0.id) }
    }

    /// What `TABLE ATTACH` puts below one of the tables, at any depth.
    private mutating func addPartitions() {
        let attached = archive.entries.filter { $0.kind == "TABLE ATTACH" }
        var known = Set(tables.map(\.id))
        var place = 0
        while place < tables.count {
            let parent = tables[place]
            place += 1
            for entry in attached where entry.dependencies.contains(parent.id) {
                let partitions = entry.dependencies.compactMap { byID[$0] }.filter {
                    $0.id != parent.id && $0.kind == "TABLE" && $0.tag.nameBytes == entry.tag.nameBytes
                        && $0.schema.nameBytes == entry.schema.nameBytes
                }
                for partition in partitions where known.insert(partition.id).inserted { tables.append(partition) }
            }
        }
    }

    /// The entry with all that it cannot be made without.
    private mutating func include(_ id: Int) {
        var next = [id]
        while let id = next.popLast() {
            guard let entry = byID[id], !entry.isOfDatabase, chosen.insert(id).inserted else { continue }
            next += entry.dependencies
        }
    }

    /// Adds what belongs to the tables: their sequences, defaults and rows, and all else that depends on them unless only rows are wanted.
    private mutating func addWhatBelongs(rowsOnly: Bool) {
        var left: [ArchiveEntries.Entry] = []
        var anchors = Set(tables.map(\.id))
        var hasGrown = true
        while hasGrown {
            hasGrown = false
            left = []
            for entry in archive.entries where !chosen.contains(entry.id) && entry.belongs(rowsOnly: rowsOnly) {
                guard entry.dependencies.contains(where: anchors.contains) || isOfChosenSequence(entry) else {
                    continue
                }
                guard entry.dependencies.allSatisfy(canHave) else {
                    left.append(entry)
                    continue
                }
                include(entry.id)
                anchors.insert(entry.id)
                hasGrown = true
            }
        }
        findings += left.map(Self.leftOut)
    }

    /// The value of a sequence that a default of one of the tables takes its numbers from.
    private func isOfChosenSequence(_ entry: ArchiveEntries.Entry) -> Bool {
        entry.kind == "SEQUENCE SET" && !entry.dependencies.isEmpty && entry.dependencies.allSatisfy(chosen.contains)
    }

    /// Whether it is chosen, or may be: no further table, and nothing that belongs to one.
    private func canHave(_ id: Int) -> Bool {
        guard !chosen.contains(id), let entry = byID[id] else { return true }
        switch entry.kind {
        case "TABLE", "VIEW", "MATERIALIZED VIEW", "FOREIGN TABLE", "CONSTRAINT", "INDEX": return false
        case "SEQUENCE": return entry.dependencies.allSatisfy(canHave)
        default: return true
        }
    }

    private static func leftOut(_ entry: ArchiveEntries.Entry) -> Finding {
        Finding(
            .warning, "restore_part_left_out", object: "\(entry.schema).\(entry.tag)",
            "\(entry.kind.lowercased()) '\(entry.tag)' is left out: it needs a table that is not restored",
            hint: "Name that table with --table too, or restore the whole database.")
    }
}

extension ArchiveEntries.Entry {
    var qualifiedName: String { "\(schema).\(tag)" }

    /// Whether it is one of the kinds that make no sense without the table that they depend on.
    fileprivate func belongs(rowsOnly: Bool) -> Bool {
        switch kind {
        case "TABLE DATA", "TABLE ATTACH", "SEQUENCE", "SEQUENCE OWNED BY", "SEQUENCE SET", "DEFAULT", "COMMENT": true
        case "CONSTRAINT", "CHECK CONSTRAINT", "FK CONSTRAINT", "INDEX", "INDEX ATTACH", "TRIGGER", "RULE", "POLICY",
            "ROW SECURITY", "STATISTICS", "STATISTICS DATA":
            !rowsOnly
        default: false
        }
    }
}
