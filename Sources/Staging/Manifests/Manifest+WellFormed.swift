import DumpCore
import SystemPackage

extension Manifest {
    /// Throws for anything that sealing never writes. Nothing else may lead us to a file, or into a sum.
    func requireWellFormed() throws(ManifestFault) {
        guard !dumps.isEmpty else { throw .malformed("it has no dumps") }
        let names = dumps.map { Array($0.name.utf8) }
        guard zip(names, names.dropFirst()).allSatisfy({ $0.lexicographicallyPrecedes($1) }) else {
            throw .malformed("its dumps are not in the order of their names")
        }
        guard dumps.count <= Self.mostDumps else { throw .tooLarge("\(dumps.count) dumps") }
        for dump in dumps {
            guard let fault = dump.fault else { continue }
            throw .malformed("\(fault) of dump '\(dump.name.onOneLine)' cannot be")
        }
        let hasRows = dumps.contains { !$0.databases.rowFiles.isEmpty }
        guard formatVersion >= Self.rowsFormatVersion || !hasRows else {
            throw .malformed("it has tables that its format version does not know")
        }
        try requireSums()
        try requireSeparateReferences()
    }

    private func requireSums() throws(ManifestFault) {
        let sizes = dumps.flatMap { [$0.bytes, $0.tree?.bytes, $0.tree?.diskBytes].compactMap(\.self) }
        let counts = dumps.flatMap { [Int64($0.files), Int64($0.tree?.entries ?? 0)] }
        guard checkedSum(sizes) != nil, checkedSum(counts) != nil else {
            throw .malformed("its sizes are larger than anything that can be stored")
        }
    }

    /// An archive has a tree that Borg read in place where it is, beside the dumps and no other.
    private func requireSeparateReferences() throws(ManifestFault) {
        var taken = Set(dumps.map { FilePath($0.path) } + StagingArea.reservedDumpNames.map { FilePath($0) })
        for dump in dumps {
            guard let reference = dump.tree?.reference.map({ FilePath($0).inArchive }) else { continue }
            guard !taken.contains(where: { $0.starts(with: reference) || reference.starts(with: $0) }) else {
                throw .malformed("two things would be at \(reference.string.onOneLine)")
            }
            taken.insert(reference)
        }
    }

    private static let mostDumps = 10_000
}

extension Manifest.DumpRecord {
    /// What is wrong, to be followed by `of dump 'app'`; nil for what sealing could have written.
    fileprivate var fault: String? {
        guard !name.isEmpty, path == SetLayout.directory(ofDump: name).string,
            checksums.path == SetLayout.checksums(ofDump: name).string,
            !StagingArea.reservedDumpNames.contains(path)
        else { return "the place" }
        // A clock may have been set back meanwhile.
        guard bytes >= 0, files >= 0, durationSeconds.magnitude < 1e10 else { return "a number" }
        guard isDigest(checksums.sha256) else { return "the SHA-256 of the list" }
        guard checkedSum(databases.lazy.flatMap { $0.tables.lazy.map(\.rows) }) != nil else {
            return "a number of rows"
        }
        return databases.lazy.compactMap(\.fault).first ?? tree?.fault
    }
}

extension DatabaseContents {
    fileprivate var fault: String? {
        guard !name.isEmpty, isInside(path) else { return "the place of database '\(name.onOneLine)'" }
        let areNamed = tables.allSatisfy { !$0.schema.isEmpty && !$0.name.isEmpty }
        guard record.map({ checkedSum($0.counts) != nil }) ?? true else {
            return "a count in the record of database '\(name.onOneLine)'"
        }
        guard areNamed else { return "the name of a table in database '\(name.onOneLine)'" }
        let rows = tables.compactMap(\.rowFiles)
        guard rows.allSatisfy(\.isWellFormed), Set(rows.map(\.path)).count == rows.count,
            Set(rows.map(\.file)).count == rows.count,
            checkedSum(rows.flatMap { [$0.bytes, $0.storedBytes] }) != nil
        else { return "the rows of a table in database '\(name.onOneLine)'" }
        return nil
    }
}

extension RowFiles {
    /// A file beside the table of contents, and a directory of its own, two levels further down.
    fileprivate var isWellFormed: Bool {
        isInside(path) && FilePath(path).components.count == 2 && isInside(file)
            && FilePath(file).components.count == 1 && isDigest(sha256) && isDigest(dumpedSHA256)
    }
}

extension DatabaseRecord {
    fileprivate var counts: [Int64] {
        Array(objects.values) + Array((constraints?.counts ?? [:]).values)
            + [constraints?.notValidated, largeObjects].compactMap(\.self)
    }
}

extension TreeContents {
    fileprivate var fault: String? {
        let (place, list) = (FilePath(path), FilePath(inventory))
        guard isInside(path), isInside(inventory), !list.starts(with: place), !place.starts(with: list) else {
            return "the place of the tree or its inventory"
        }
        guard reference.map(isCleanAbsolute) ?? true else { return "the place at which Borg read the tree" }
        guard entries >= 0, bytes >= 0, diskBytes ?? 0 >= 0 else { return "a number" }
        return isDigest(inventorySHA256) ? nil : "the SHA-256 of the inventory"
    }
}

/// Whether a path is relative, spelled in the one way there is, and leads nowhere but further down.
private func isInside(_ text: String) -> Bool {
    let path = FilePath(text)
    return path.isRelative && isClean(path, text)
}

private func isCleanAbsolute(_ text: String) -> Bool {
    let path = FilePath(text)
    return path.isAbsolute && isClean(path, text)
}

private func isClean(_ path: FilePath, _ text: String) -> Bool {
    // A NUL would end the path, and a second slash vanish from it.
    path.string.utf8.elementsEqual(text.utf8) && !path.components.isEmpty
        && path.components.allSatisfy { $0.kind == .regular }
}

private func isDigest(_ text: String) -> Bool {
    text.utf8.count == 64
        && text.utf8.allSatisfy {
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
        }
}

/// Nil if a number is negative, or the sum more than there can be.
private func checkedSum(_ numbers: some Sequence<Int64>) -> Int64? {
    var sum: Int64 = 0
    for number in numbers {
        guard number >= 0 else { return nil }
        let (total, isTooMuch) = sum.addingReportingOverflow(number)
        guard !isTooMuch, Manifest.possibleBytes.contains(total) else { return nil }
        sum = total
    }
    return sum
}
