import SystemPackage

/// Puts back what providers of one kind have dumped. It goes by the manifest and the dump alone, and knows no job file.
///
/// The order of calls is prepare, restore, close. A restorer never reads an archive: it gets a directory whose files were compared with
/// what was sealed. It compares what it has restored with the manifest before anything else may use it.
public protocol Restorer: Sendable {
    /// Checks that the restore would succeed, with all that stands in its way at once. Changes nothing, anywhere.
    ///
    /// Throws only when nothing more can be said; all else is a finding of what is returned. The caller closes it.
    ///
    /// - Parameter files: of the dump, for what the manifest does not tell.
    func prepare(
        _ request: RestoreRequest, of dump: Manifest.DumpRecord, reading files: any DumpFiles, in run: RunContext
    ) async throws(DumpError) -> any PreparedRestore

    /// Which files of the dump `prepare` reads, relative to its directory: they are fetched together. A guess costs time only.
    func examinedFiles(of dump: Manifest.DumpRecord, for request: RestoreRequest) -> [FilePath]

    /// Restores all of a dump to a place of its own, compares it with the manifest, and asks the job's questions. The place is thrown away
    /// afterwards. Nothing outside of `room` is changed or reached, whatever the dump holds.
    ///
    /// - Parameters:
    ///   - directory: the dump, verified.
    ///   - room: a directory for the restorer alone, empty and private.
    func drill(
        _ drill: DrillRequest, of dump: Manifest.DumpRecord, from directory: FilePath, in room: FilePath,
        _ run: RunContext
    ) async throws(DumpError) -> RestoreOutcome

    /// The same, begun before the dump's files are there: what takes its time and needs none of them is done meanwhile.
    ///
    /// - Parameter files: returns the dump's directory, once all of it is there and verified. May be called several times.
    func drill(
        _ drill: DrillRequest, of dump: Manifest.DumpRecord,
        awaiting files: @escaping @Sendable () async throws(DumpError) -> FilePath, in room: FilePath, _ run: RunContext
    ) async throws(DumpError) -> RestoreOutcome

    /// What an operator types to restore the same without Muster, in the directory that `borg extract` filled: comments and commands.
    func guide(to request: RestoreRequest, of dump: Manifest.DumpRecord) -> [String]

    /// What restores have kept of what they replaced, at the target that a request names.
    func kept(_ request: RestoreRequest, in run: RunContext) async throws(DumpError) -> [KeptItem]

    /// Removes one of these for good. Throws unless a restore has kept it.
    func drop(_ item: KeptItem, _ request: RestoreRequest, in run: RunContext) async throws(DumpError)

    /// What of a dump a drill of some items needs, relative to the dump's directory. Nil is all of it.
    func parts(of dump: Manifest.DumpRecord, items: [String]) -> [FilePath]?

    /// Items that together are the whole dump, for drills that prove some of them each time, besides its databases. None if it is not divided.
    ///
    /// - Parameters:
    ///   - count: into how many drills.
    ///   - files: of the dump.
    func slices(
        of dump: Manifest.DumpRecord, into count: Int, reading files: any DumpFiles
    ) async throws(DumpError) -> [String]

    /// The kinds of records that it writes, such as `database_exchange`.
    var undoneKinds: Set<String> { get }

    /// Undoes what a restore that died has left, as far as it is still there. May be called again. What it throws keeps the record.
    func undo(_ record: UndoRecord, in run: RunContext) async throws(DumpError)
}

extension Restorer {
    public func examinedFiles(of dump: Manifest.DumpRecord, for request: RestoreRequest) -> [FilePath] { [] }

    public func drill(
        _ drill: DrillRequest, of dump: Manifest.DumpRecord,
        awaiting files: @escaping @Sendable () async throws(DumpError) -> FilePath, in room: FilePath, _ run: RunContext
    ) async throws(DumpError) -> RestoreOutcome {
        try await self.drill(drill, of: dump, from: try await files(), in: room, run)
    }

    public func parts(of dump: Manifest.DumpRecord, items: [String]) -> [FilePath]? { nil }
    public func slices(
        of dump: Manifest.DumpRecord, into count: Int, reading files: any DumpFiles
    ) async throws(DumpError) -> [String] { [] }

    public func kept(_ request: RestoreRequest, in run: RunContext) async throws(DumpError) -> [KeptItem] { [] }
    public func drop(_ item: KeptItem, _ request: RestoreRequest, in run: RunContext) async throws(DumpError) {}
}

/// A restore that was checked and could begin.
public protocol PreparedRestore: Sendable {
    /// What was learnt of the target, such as `server_version`; shown in this order. No secrets.
    var facts: ErrorContext { get }

    /// What the operator should know, most severe first. A finding of severity `failure` keeps the restore from beginning.
    var findings: [Finding] { get }

    /// What will be restored, and under which name.
    var plan: [RestorePlan] { get }

    /// What of the dump is needed: files and directories relative to its directory. Nil is all of it.
    var parts: [FilePath]? { get }

    /// The user who must be able to read the dump's files, if not ours.
    var reader: String? { get }

    /// Restores, compares with the manifest, and only then gives what was restored its name. After a throw nothing is left under a name
    /// that looks like a good one. What was there before is as it was.
    ///
    /// - Parameter directory: the dump's directory, with all of `parts`, verified, readable by `reader`, and without another user.
    func restore(from directory: FilePath, in run: RunContext) async throws(DumpError) -> RestoreOutcome

    /// Gives back what prepare took. Never throws.
    func close() async
}

extension PreparedRestore {
    public var facts: ErrorContext { [:] }
    public var findings: [Finding] { [] }
    public var parts: [FilePath]? { nil }
    public var reader: String? { nil }
    public func close() async {}
}

/// Single files of a dump, wherever it is: for a look at what the manifest does not tell.
public protocol DumpFiles: Sendable {
    /// All bytes of a file, compared with what was sealed.
    ///
    /// - Parameters:
    ///   - path: relative to the dump's directory.
    ///   - limit: throws for a file with more bytes.
    func contents(of path: FilePath, limit: Int64) async throws(DumpError) -> [UInt8]
}

/// What an operator wants restored of a dump, and where.
public struct RestoreRequest: Sendable, Hashable {
    /// What to call what is restored.
    public enum Placement: Sendable, Hashable {
        /// Beside what is there, under a name that says so: `shop_restored_20261129T174500Z`.
        case beside
        /// Under this name, which nothing has yet. For one thing only.
        case named(String)
        /// In the place of what is there, which is kept under another name. Where nothing is there, under its own name.
        case replacing
    }

    public var placement = Placement.beside
    /// Such as databases; none is all of the dump.
    public var items: [String] = []
    /// Such as tables, as `SCHEMA.NAME`; none is all of an item.
    public var pieces: [String] = []
    /// How to reach the target, as its kind writes it: a connection string. Nil is the kind's usual one.
    public var target: String?
    /// Whom to be at the target; nil is the kind's usual one.
    public var user: String?
    /// How many processes may work at once.
    public var jobs = 1
    /// For pieces: which schema to put them into, if not their own.
    public var schema: String?
    /// For pieces: without indexes, constraints, triggers and the like.
    public var rowsOnly = false
    /// For a drill: without security labels, whose modules may need what only the dumped host has.
    public var leavesOutLabels = false

    public init() {}
}

/// What a drill is to find out beyond what the manifest tells.
public struct DrillRequest: Sendable, Hashable {
    /// A statement whose answer is known.
    public struct Assertion: Sendable, Hashable {
        public var item: String
        public var statement: String
        /// The one value of the one row that it returns, as text.
        public var expected: String

        public init(item: String, statement: String, expected: String) {
            (self.item, self.statement, self.expected) = (item, statement, expected)
        }
    }

    /// A statement that tells when something happened last, which must not be long before the dump.
    public struct Freshness: Sendable, Hashable {
        public var item: String
        /// Returns one row with one timestamp.
        public var statement: String
        /// Counted back from the dump's moment.
        public var limit: Duration

        public init(item: String, statement: String, limit: Duration) {
            (self.item, self.statement, self.limit) = (item, statement, limit)
        }
    }

    public var assertions: [Assertion] = []
    public var freshness: [Freshness] = []
    /// Only these items, such as databases; none is all.
    public var items: [String] = []
    /// Whether to look into the structure of what was restored, where its kind has a program for that (pg_amcheck).
    public var isThorough = false
    public var jobs = 1
    /// The user whom a server may run as, if not the usual one. Never one whose live data could be reached.
    public var user: String?
    /// How many bytes the copy may take on disk; nil for no limit but the file system's.
    public var byteLimit: Int64?
    /// Whether to leave the copy in its room.
    public var keepsCopy = false

    public init() {}
}
