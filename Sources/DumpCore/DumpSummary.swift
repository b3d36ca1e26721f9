import SystemPackage

/// What a provider says of a dump that it completed. Sizes and checksums are not in it: sealing finds them out.
public struct DumpSummary: Sendable {
    /// What was dumped and by what, such as `server_version`. Shown and recorded, in this order. No secrets.
    public var identity: ErrorContext
    public var moment: Moment
    /// Notes and warnings of the dump itself.
    public var findings: [Finding]
    /// What is not in the dump although it is in the source.
    public var omissions: [Finding]
    public var databases: [DatabaseContents]
    /// In a dump of a whole cluster: what belongs to none of its databases.
    public var cluster: ClusterRecord?
    /// Digests of a few files that the provider has read to their end, by path relative to the dump's directory. Sealing does not read
    /// these files a second time, provided they have not changed since. Those of a tree are in its inventory; where there may be many files,
    /// `RunContext.Shortcuts.completed` gets them.
    public var digests: [FilePath: FileDigest]
    /// In a dump that is a file tree: how to know what is in it.
    public var tree: TreeContents?
    /// Files whose counterpart in the last dump of this name has another path. Both paths are relative to the dump's directory. A file that
    /// is the same is linked from there.
    public var renamed: [FilePath: FilePath]
    /// Those files of the tree that are further names of files in the last dump.
    public var linked: LinkedFiles

    public init(
        identity: ErrorContext, moment: Moment, findings: [Finding] = [], omissions: [Finding] = [],
        databases: [DatabaseContents] = [], cluster: ClusterRecord? = nil, digests: [FilePath: FileDigest] = [:],
        renamed: [FilePath: FilePath] = [:], tree: TreeContents? = nil,
        linked: LinkedFiles = LinkedFiles()
    ) {
        self.identity = identity
        self.moment = moment
        self.findings = findings
        self.omissions = omissions
        self.databases = databases
        self.cluster = cluster
        self.digests = digests
        self.renamed = renamed
        self.tree = tree
        self.linked = linked
    }
}

/// Files that take no space of their own, because the last dump has the same ones.
public struct LinkedFiles: Sendable, Hashable {
    public var files: Int
    public var bytes: Int64

    public init(files: Int = 0, bytes: Int64 = 0) {
        self.files = files
        self.bytes = bytes
    }
}

/// A file tree in a dump, with links, special files, owners, modes and attributes, all of which its inventory lists.
public struct TreeContents: Sendable, Codable, Hashable {
    /// Where the tree is, relative to the dump's directory; for one that was not copied, where extracting an archive puts
    /// it.
    public var path: String
    /// The absolute path at which Borg finds a tree that was not copied.
    public var reference: String?
    /// Its inventory, relative to the dump's directory; a file in the format of mtree(5).
    public var inventory: String
    /// The SHA-256 of the inventory's bytes, 64 lower-case hex digits.
    public var inventorySHA256: String
    /// All that the inventory lists, the root of the tree included.
    public var entries: Int
    /// The size of its files, holes included; a file with several names counts each time.
    public var bytes: Int64
    /// What its files took on disk where they lay: each once, without its holes. Nil in sets of before this was counted.
    public var diskBytes: Int64?

    public init(
        path: String, reference: String? = nil, inventory: String, inventorySHA256: String, entries: Int, bytes: Int64,
        diskBytes: Int64? = nil
    ) {
        self.path = path
        self.reference = reference
        self.inventory = inventory
        self.inventorySHA256 = inventorySHA256
        self.entries = entries
        self.bytes = bytes
        self.diskBytes = diskBytes
    }
}

/// What one database's dump holds, counted from the dump itself.
public struct DatabaseContents: Sendable, Codable, Hashable {
    public var name: String
    /// Where its dump is, relative to the dump's directory.
    public var path: String
    /// In the order of schema and name.
    public var tables: [TableContents]
    /// What it was like. Nil in sets of before this was recorded, and where a script holds the whole cluster.
    public var record: DatabaseRecord?

    public init(name: String, path: String, tables: [TableContents], record: DatabaseRecord? = nil) {
        self.name = name
        self.path = path
        self.tables = tables
        self.record = record
    }
}

public struct TableContents: Sendable, Codable, Hashable {
    public var schema: String
    public var name: String
    public var rows: Int64
    /// Digest over its columns by name, with type and whether they may be null: 32 hex digits. Nil where the server was not asked.
    public var columns: String?
    /// Where it is, unless it is a file of its own.
    public var rowFiles: RowFiles?

    public init(schema: String, name: String, rows: Int64, columns: String? = nil, rowFiles: RowFiles? = nil) {
        self.schema = schema
        self.name = name
        self.rows = rows
        self.columns = columns
        self.rowFiles = rowFiles
    }
}

/// The SHA-256 of a file's bytes, with what identifies the file they were read from.
public struct FileDigest: Sendable, Hashable {
    /// 64 lower-case hex digits.
    public var sha256: String
    public var bytes: Int64
    /// Inode and last change of contents (nanoseconds since 1970), as they were when the last byte had been read.
    public var inode: UInt64
    public var modified: Int64

    public init(sha256: String, bytes: Int64, inode: UInt64, modified: Int64) {
        self.sha256 = sha256
        self.bytes = bytes
        self.inode = inode
        self.modified = modified
    }
}
