import DumpCore

extension DatabaseComparison {
    func compareObjects(_ record: DatabaseRecord, _ restored: RestoredDatabase, _ result: inout ComparisonResult) {
        compareCounts(record, restored, &result)
        compareInvalidIndexes(record, restored, &result)
        compareConstraints(record, restored, &result)
        if isKnown("large_objects", record, restored, &result), let expected = record.largeObjects {
            result.expect("large_objects", of: "database", expected, found: restored.record.largeObjects ?? 0)
        }
        compareSubscriptions(record, restored, &result)
    }

    private func compareCounts(
        _ record: DatabaseRecord, _ restored: RestoredDatabase, _ result: inout ComparisonResult
    ) {
        guard isKnown("objects", record, restored, &result) else { return }
        var (expected, found) = (record.objects, restored.record.objects)
        // pg_dump leaves out what is not valid.
        expected["index", default: 0] -= Int64(record.invalidIndexes.count)
        found["index", default: 0] -= Int64(restored.record.invalidIndexes.count)
        if record.namesOnlySomeInvalidIndexes || restored.record.namesOnlySomeInvalidIndexes {
            result.leaveOut("objects of kind index (the manifest names only some of those that are not valid)")
            expected["index"] = nil
            found["index"] = nil
        }
        for kind in Set(expected.keys).union(found.keys).sorted() {
            result.expect("objects", of: kind, expected[kind] ?? 0, found: found[kind] ?? 0)
        }
    }

    /// One that is not valid is a fault only if it was valid when it was dumped.
    private func compareInvalidIndexes(
        _ record: DatabaseRecord, _ restored: RestoredDatabase, _ result: inout ComparisonResult
    ) {
        guard isKnown("invalid_indexes", record, restored, &result) else { return }
        let known = Set(record.invalidIndexes.map { Array($0.utf8) })
        result.agree("invalid_indexes", count: record.invalidIndexes.count)
        guard !record.namesOnlySomeInvalidIndexes else { return }
        for index in restored.record.invalidIndexes where !known.contains(Array(index.utf8)) {
            result.differ("invalid_indexes", index, expected: "valid", found: "not valid")
        }
    }

    private func compareConstraints(
        _ record: DatabaseRecord, _ restored: RestoredDatabase, _ result: inout ComparisonResult
    ) {
        guard isKnown("constraints", record, restored, &result), let expected = record.constraints else { return }
        let found = restored.record.constraints ?? ConstraintsRecord(counts: [:], notValidated: 0, sha256: nil)
        for kind in Set(expected.counts.keys).union(found.counts.keys).sorted() {
            result.expect("constraints", of: kind, expected.counts[kind] ?? 0, found: found.counts[kind] ?? 0)
        }
        guard !marksForeignKeys else {
            return result.leaveOut("validity of constraints (the dump has foreign keys NOT VALID that rows break)")
        }
        guard expected.counts == found.counts else { return }
        guard expected.notValidated == found.notValidated else {
            return result.differ(
                "constraints", "not validated", expected: "\(expected.notValidated)", found: "\(found.notValidated)")
        }
        guard expected.sha256 != found.sha256 else { return }
        result.differ(
            "constraints", "tables and names", expected: expected.sha256 ?? "none", found: found.sha256 ?? "none")
    }

    /// A restore never enables them.
    private func compareSubscriptions(
        _ record: DatabaseRecord, _ restored: RestoredDatabase, _ result: inout ComparisonResult
    ) {
        guard isKnown("subscriptions", record, restored, &result) else { return }
        let found = Set(restored.record.subscriptions.map { Array($0.name.utf8) })
        for subscription in record.subscriptions {
            let isThere = found.contains(Array(subscription.name.utf8))
            result.expect("subscriptions", of: subscription.name, "there", found: isThere ? "there" : nil)
        }
    }

    func compareExtensions(_ record: DatabaseRecord, _ restored: RestoredDatabase, _ result: inout ComparisonResult) {
        guard isKnown("extensions", record, restored, &result) else { return }
        for old in record.extensions {
            let new = restored.record.extensions.first { $0.name.utf8.elementsEqual(old.name.utf8) }
            result.expect(
                "extensions", of: old.name, "in schema \(old.schema)", found: new.map { "in schema \($0.schema)" })
            guard let new, new.version != old.version else { continue }
            result.add(
                Finding(
                    .note, "extension_version_differs", object: "\(name).\(old.name)",
                    "extension \(old.name) of database '\(name)' is restored in version \(new.version), and was \(old.version)"
                ))
        }
    }
}

extension DatabaseRecord {
    /// Whether there may be more than it names.
    fileprivate var namesOnlySomeInvalidIndexes: Bool { invalidIndexes.count >= DatabaseRecorder.mostInvalidIndexes }
}
