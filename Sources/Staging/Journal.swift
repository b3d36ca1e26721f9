import DumpCore
import Linux
import SystemPackage

/// What still has to be completed or undone if this process dies: one file for each, on disk before the act begins and gone
/// after it has ended.
struct Journal: Sendable {
    let directory: FilePath

    /// One thing that is under way.
    struct Record: Sendable, Codable, Hashable {
        enum Kind: String, Sendable, Codable {
            /// A set is being published in two renames, see `Publication`.
            case publish
            /// Something outside the staging area, which a provider undoes.
            case undo
        }

        var kind: Kind
        var run: RunID
        /// Of kind `undo` only.
        var undo: UndoRecord?

        init(publicationOf run: RunID) {
            kind = .publish
            self.run = run
        }

        init(_ undo: UndoRecord) {
            kind = .undo
            run = undo.run
            self.undo = undo
        }

        /// Sorts by run.
        var fileName: FilePath.Component {
            let subject = undo.map { ".\($0.dump).\($0.kind)" } ?? ""
            return escapedPathComponent("\(run).\(kind.rawValue)\(subject).json")
        }
    }

    /// On return the record is on disk.
    func write(_ record: Record) throws(StagingError) {
        let path = directory.appending(record.fileName)
        try SmallFile(path).replace(attempting(to: "encode", path) { try SnakeCaseJSON.encode(record) })
    }

    func remove(_ record: Record) throws(StagingError) {
        try SmallFile(directory.appending(record.fileName)).remove()
    }

    /// All records, oldest run first. One that is not understood is an error: somebody still has to act on it.
    func records() throws(StagingError) -> [Record] {
        var records: [Record] = []
        for name in try names() where !isUnfinished(name) {
            let path = directory.appending(name)
            guard let bytes = try SmallFile(path).read() else { continue }
            do {
                records.append(try SnakeCaseJSON.decode(Record.self, from: bytes))
            } catch {
                throw StagingError(
                    .leftovers, "journal record \(path) is not understood",
                    hint: "A newer Muster may have written it: run that one again, so that it ends what it began.",
                    underlying: error)
            }
        }
        return records
    }

    /// Removes what a crash left of records that were never completed, whose acts never began.
    func removeUnfinished() throws(StagingError) {
        for name in try names() where isUnfinished(name) { try SmallFile(directory.appending(name)).remove() }
    }

    private func names() throws(StagingError) -> [FilePath.Component] {
        try attempting(to: "list", directory) { try FileSystem.names(in: directory) }
    }

    private func isUnfinished(_ name: FilePath.Component) -> Bool { name.string.hasSuffix(SmallFile.unfinished) }
}
