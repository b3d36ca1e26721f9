import SystemPackage

/// Where a table is that is stored as rows and what has changed of them since, instead of as a file of its own. See `docs/growth.md`.
public struct RowFiles: Sendable, Codable, Hashable {
    /// The directory of its rows, relative to the database's.
    public var path: String
    /// The file that they are put together to, relative to the database's directory.
    public var file: String
    /// The size of that file.
    public var bytes: Int64
    public var sha256: String
    /// The size of the files in the directory.
    public var storedBytes: Int64
    /// The SHA-256 of the file as it was dumped: the same rows in another order.
    public var dumpedSHA256: String

    public init(
        path: String, file: String, bytes: Int64, sha256: String, storedBytes: Int64, dumpedSHA256: String
    ) {
        (self.path, self.file, self.bytes, self.sha256) = (path, file, bytes, sha256)
        (self.storedBytes, self.dumpedSHA256) = (storedBytes, dumpedSHA256)
    }
}

extension [DatabaseContents] {
    /// Tables that are stored as rows, with where they are, relative to the dump's directory.
    public var rowFiles: [(directory: FilePath, rows: FilePath, file: FilePath, table: RowFiles)] {
        flatMap { database in
            database.tables.compactMap(\.rowFiles).map { rows in
                let directory = FilePath(database.path)
                return (
                    directory, directory.pushing(FilePath(rows.path)), directory.pushing(FilePath(rows.file)), rows
                )
            }
        }
    }

    /// How many bytes more the tables have than what is stored of them.
    public var bytesPutTogether: Int64 {
        rowFiles.reduce(0) { $0.plus($1.table.bytes - $1.table.storedBytes) }
    }
}
