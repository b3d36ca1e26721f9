import DumpCore

extension DatabaseComparison {
    func compareRows(_ restored: RestoredDatabase, _ result: inout ComparisonResult) {
        for table in contents.tables {
            let found = restored.rows[table].map { String($0) } ?? "no such table"
            result.expect("rows", of: table.shownName, String(table.rows), found: found)
        }
    }

    /// By table, and by one digest over all, which views and types are part of too.
    func compareColumns(_ record: DatabaseRecord, _ restored: RestoredDatabase, _ result: inout ComparisonResult) {
        guard isKnown("columns", record, restored, &result) else { return }
        var differ = false
        for (old, new) in zip(contents.tables, restored.columns.added(to: contents.tables)) {
            guard let expected = old.columns else { continue }
            differ = differ || new.columns != expected
            result.expect("columns", of: old.shownName, expected, found: new.columns)
        }
        guard let expected = record.columnsSHA256, !differ else { return }
        result.expect("columns", of: "tables, views and types together", expected, found: restored.columns.sha256)
    }

    /// Values at or ahead of the record, which was made before pg_dump read them.
    func compareSequences(_ record: DatabaseRecord, _ restored: RestoredDatabase, _ result: inout ComparisonResult) {
        guard isKnown("sequences", record, restored, &result) else { return }
        var found: [QualifiedName: SequenceValues.Sequence] = [:]
        for sequence in restored.sequences.sequences where !sequence.isMember {
            found[QualifiedName(sequence.schema, sequence.name)] = sequence
        }
        for sequence in record.sequences {
            result.agree("sequences")
            let name = "\(sequence.schema).\(sequence.name)"
            let expected = sequence.lastValue.map { "\($0)" } ?? "there"
            guard let now = found[QualifiedName(sequence.schema, sequence.name)] else {
                result.differ("sequences", name, expected: expected, found: "none")
                continue
            }
            guard let last = sequence.lastValue, now.isBehind(last) else { continue }
            result.differ("sequences", name, expected: expected, found: now.value.map { "\($0)" } ?? "never used")
        }
    }
}

extension SequenceValues.Sequence {
    /// Whether it gives numbers again that it had given. One that cycles goes back by itself.
    fileprivate func isBehind(_ last: Int64) -> Bool {
        guard !cycles else { return false }
        guard let value else { return true }
        return increment > 0 ? value < last : value > last
    }
}

extension TableContents {
    var shownName: String { "\(schema).\(name)" }
}
