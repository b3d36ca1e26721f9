import DumpCore
import FoundationEssentials
import Linux
import SystemPackage
import TestSupport

/// An undo journal in a directory, for a process that will be killed.
struct FileJournal: UndoJournal {
    let directory: FilePath

    func record(
        _ kind: String, of dump: String, facts: [String: String]
    ) async throws(DumpError) -> UndoRecord {
        let record = UndoRecord(run: RunID(start: .now), dump: dump, kind: kind, facts: facts, owner: .current)
        do {
            let text = String(decoding: try JSONEncoder().encode(record), as: UTF8.self)
            try write(text, to: path(of: record))
            return record
        } catch {
            throw DumpError(.system, "\(error)")
        }
    }

    func forget(_ record: UndoRecord) async throws(DumpError) {
        // A record that is not there was forgotten before.
        try? FileSystem.removeFile(path(of: record))
    }

    /// In the order in which they were written.
    func records() throws -> [UndoRecord] {
        try FileSystem.names(in: directory).map { name in
            try JSONDecoder().decode(UndoRecord.self, from: Data(try read(directory.appending(name)).utf8))
        }
    }

    private func path(of record: UndoRecord) -> FilePath {
        // Mounts come after their snapshots, also within one millisecond.
        let order = record.kind == "snapshot_mount" ? "b" : "a"
        return directory.appending("\(order)-\(record.at)-\(record.dump)-\(record.facts["mount_point"]?.count ?? 0)")
    }
}
