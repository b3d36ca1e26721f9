import Documents
import DumpCore
import Linux
import SystemPackage

/// What still has to be completed or undone if this process dies. There is one file for each act, on disk before the act begins and gone
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
        /// The undo record, in a record of kind `undo` only.
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
            let subject = undo.map { ".\($0.dump).\($0.kind).\($0.serial)" } ?? ""
            return escapedPathComponent("\(run).\(kind.rawValue)\(subject).json")
        }
    }

    func path(of record: Record) -> FilePath { directory.appending(record.fileName) }

    /// On return the record is on disk.
    func write(_ record: Record) throws(StagingError) {
        let path = path(of: record)
        let bytes = try attempting(to: "encode", path) { try SnakeCaseJSON.encode(record) }
        // A dump by hand holds no lock: while it lives, what it has begun to write must stay.
        try SmallFile(path).replace(bytes, markedBy: ".\(ProcessIdentity.current.mark)")
    }

    func remove(_ record: Record) throws(StagingError) {
        try SmallFile(path(of: record)).remove()
    }

    /// The runs whose publication is under way, oldest first. A record that is not understood is an error: without it nothing can be
    /// published.
    func publications() throws(StagingError) -> [RunID] {
        var runs: [RunID] = []
        for name in try names() where isOf(.publish, name) {
            if let record = try record(name) { runs.append(record.run) }
        }
        return runs
    }

    /// What is to be undone, and why other records of that were not understood: the operator still has to act on those.
    func undoRecords() throws(StagingError) -> (records: [UndoRecord], unreadable: [StagingError]) {
        var (records, unreadable) = ([UndoRecord](), [StagingError]())
        // Whatever else a newer Muster may have written there, too.
        for name in try names() where !isOf(.publish, name) {
            do throws(StagingError) {
                if let record = try record(name)?.undo { records.append(record) }
            } catch {
                unreadable.append(error)
            }
        }
        return (records, unreadable)
    }

    /// Nil if it is gone.
    private func record(_ name: FilePath.Component) throws(StagingError) -> Record? {
        let path = directory.appending(name)
        guard let bytes = try SmallFile(path).read() else { return nil }
        do {
            let record = try SnakeCaseJSON.decode(Record.self, from: bytes)
            guard record.kind == .publish || record.undo != nil else { throw Errno.invalidArgument }
            return record
        } catch {
            throw StagingError(
                .leftovers, "journal record \(path) is not understood",
                hint:
                    "If a newer Muster wrote it, use that one. If it is damaged, undo by hand what it describes, then remove it.",
                underlying: error)
        }
    }

    /// Removes what a crash left of records that were never completed, whose acts never began.
    func removeUnfinished() throws(StagingError) {
        let all = try attempting(to: "list", directory) { try FileSystem.names(in: directory) }
        for name in all where isUnfinished(name) && !isBeingWritten(name) {
            try SmallFile(directory.appending(name)).remove()
        }
    }

    private func isBeingWritten(_ name: FilePath.Component) -> Bool {
        let words = name.string.split(atASCII: ".")
        guard words.count > 2 else { return false }
        return ProcessIdentity(mark: String(words[words.count - 2]))?.isAlive ?? false
    }

    /// The names of complete records.
    private func names() throws(StagingError) -> [FilePath.Component] {
        try attempting(to: "list", directory) { try FileSystem.names(in: directory).filter { !isUnfinished($0) } }
    }

    private func isOf(_ kind: Record.Kind, _ name: FilePath.Component) -> Bool {
        name.string.split(atASCII: ".").dropFirst().first == kind.rawValue[...]
    }

    private func isUnfinished(_ name: FilePath.Component) -> Bool { name.string.hasSuffix(SmallFile.unfinished) }
}

extension ProcessIdentity {
    /// For the name of a file, which has no room for all of it.
    fileprivate var mark: String { "\(pid)-\(startTicks)" }

    /// One of this start of the system.
    fileprivate init?(mark: String) {
        let words = mark.split(atASCII: "-")
        guard words.count == 2, let pid = Int32(words[0]), let ticks = UInt64(words[1]) else { return nil }
        self.init(pid: pid, startTicks: ticks, bootID: Self.current.bootID)
    }
}
