import DumpCore
import Linux
import RowDelta
import SystemPackage

extension SetDirectory {
    /// A table that is stored as rows, relative to the set.
    private struct Table: Sendable {
        var rows: FilePath
        var file: FilePath
        var facts: RowFiles

        init(_ found: (directory: FilePath, rows: FilePath, file: FilePath, table: RowFiles), of dump: FilePath) {
            (rows, file, facts) = (dump.pushing(found.rows), dump.pushing(found.file), found.table)
        }
    }

    /// Those whose rows are all there, the largest first.
    private static func tables(of manifest: Manifest, _ parts: [SetPart]?) -> [Table] {
        manifest.dumps.flatMap { dump in dump.databases.rowFiles.map { Table($0, of: dump.directory) } }
            .filter { parts?.cover($0.rows) ?? true }
            .sorted { $0.facts.bytes > $1.facts.bytes }
    }

    /// Tables that are not what the manifest says when they are put together, although each of their files may be.
    func tableProblems(of manifest: Manifest, _ parts: [SetPart]?) async throws(StagingError) -> [SetProblem] {
        let root = root
        return try await FileWorkers.forEach(Self.tables(of: manifest, parts)) { (table, stop) throws(StagingError) in
            do throws(RowDeltaError) {
                let found = try RowAssembly(
                    of: RowChain(in: root.pushing(table.rows)), atMost: table.facts.bytes, until: stop)
                guard found.sha256 != table.facts.sha256 else { return SetProblem?.none }
                return SetProblem(
                    kind: .changed, path: table.rows,
                    details: "put together, its SHA-256 is \(found.sha256) and not \(table.facts.sha256)")
            } catch {
                guard error.code != .cancelled else { throw .stopped }
                return SetProblem(
                    kind: error.code == .malformedRows ? .changed : .unreadable, path: table.rows,
                    details: "cannot be put together: \(error.message)")
            }
        }.compactMap(\.self)
    }

    /// Makes the file of each table that is stored as rows, beside these, as the set's script does. For what was extracted, of which nothing
    /// else makes use meanwhile.
    ///
    /// Throws `.damagedSet` for a table that is not what was sealed then.
    public func putTablesTogether(of manifest: Manifest, _ parts: [SetPart]? = nil) async throws(StagingError) {
        let root = root
        _ = try await FileWorkers.forEach(Self.tables(of: manifest, parts)) { (table, stop) throws(StagingError) in
            let path = root.pushing(table.file)
            let found: RowAssembly
            do {
                let chain = try RowChain(in: root.pushing(table.rows))
                let file = try FileSystem.createFile(path)
                found = try file.closeAfter {
                    try RowAssembly(of: chain, to: file, called: path, atMost: table.facts.bytes, until: stop)
                }
            } catch let error as RowDeltaError where error.code == .cancelled {
                throw StagingError.stopped
            } catch let error as RowDeltaError where error.code != .system {
                throw StagingError(.damagedSet, "\(table.rows) cannot be put together: \(error.message)")
            } catch {
                let cause = (error as? RowDeltaError)?.underlying ?? error
                throw StagingError(
                    cause as? Errno == .noSpace ? .noSpace : .system, "cannot put together \(path): \(cause)",
                    underlying: error)
            }
            guard found.sha256 == table.facts.sha256 else {
                throw StagingError(
                    .damagedSet,
                    "\(table.rows) put together has the SHA-256 \(found.sha256) and not \(table.facts.sha256)")
            }
        }
    }
}

extension Manifest {
    /// How many bytes more than in the set the tables have that are put together beside their rows.
    public func bytesPutTogether(of parts: [SetPart]?) -> Int64 {
        dumps.reduce(0) { sum, dump in
            dump.databases.rowFiles.filter { parts?.cover(dump.directory.pushing($0.rows)) ?? true }
                .reduce(sum) { $0.plus($1.table.bytes) }
        }
    }
}
