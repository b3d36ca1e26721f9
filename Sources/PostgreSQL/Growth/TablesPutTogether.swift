import DumpCore
import Linux
import RowDelta
import SystemPackage

/// Puts tables of a database together from their rows, where a restore needs the files.
struct TablesPutTogether: Sendable {
    /// The database's directory, without another user.
    let directory: FilePath
    let tables: [RowFiles]

    /// - Parameter files: that are needed; nil is all.
    init(of database: DatabaseContents, in directory: FilePath, only files: Set<String>? = nil) {
        self.directory = directory
        tables = database.tables.compactMap(\.rowFiles).filter { files?.contains($0.file) ?? true }
    }

    func perform() async throws(DumpError) {
        let largest = tables.sorted { $0.bytes > $1.bytes }
        _ = try await FileWorkers.forEach(largest) { (table, stop) throws(DumpError) in
            try putTogether(table, until: stop)
        }
    }

    /// Under another name until it is known to be what was sealed: nothing else is ever taken for the table.
    private func putTogether(_ table: RowFiles, until stop: StopSign) throws(DumpError) {
        let path = directory.pushing(FilePath(table.file))
        let unfinished = directory.appending(table.file + ".unfinished")
        // Who extracted the set has put it together, and it was verified with the rest.
        guard (try? FileSystem.status(of: path)) == nil else { return }
        do {
            try FileSystem.removeFile(unfinished)
            let assembly = try write(table, to: unfinished, until: stop)
            guard assembly.sha256 == table.sha256 else { throw Self.another(table) }
            try FileSystem.rename(unfinished, to: path)
        } catch let error as DumpError {
            throw error
        } catch let error as RowDeltaError {
            throw DumpError(storing: table.path, error)
        } catch {
            throw DumpError(creating: path, error)
        }
    }

    private func write(_ table: RowFiles, to path: FilePath, until stop: StopSign) throws -> RowAssembly {
        let chain = try RowChain(in: directory.pushing(FilePath(table.path)))
        let file = try FileSystem.createFile(path)
        return try file.closeAfter {
            try giveReaders(file)
            return try RowAssembly(of: chain, to: file, called: path, atMost: table.bytes, until: stop)
        }
    }

    private static func another(_ table: RowFiles) -> DumpError {
        DumpError(
            .incompleteDump, "the rows in \(table.path) are not what the manifest says when they are put together",
            hint: "Restore another archive: muster list shows them.")
    }

    /// Who may read the rest of the dump may read it too.
    private func giveReaders(_ file: FileDescriptor) throws {
        let contents = try FileSystem.status(of: directory.appending(ArchiveVerification.contentsFile))
        let status = try FileSystem.status(of: file)
        if (contents.uid, contents.gid) != (status.uid, status.gid) { try file.setOwner(contents.uid, contents.gid) }
        try file.setMode(contents.mode)
    }
}
