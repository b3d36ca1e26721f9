import SystemPackage

/// A source, set up for one dump of a job: what a job file's entry under `dumps:` becomes.
///
/// The order of calls is prepare, freeze, dump, release, close. A provider never picks the final path, never renames, never
/// decides whether the run goes on, and never talks to Borg. One type may be all three: provider, prepared and frozen source.
///
/// A run drives it through `SupervisedProvider`: deadlines, the dump's name in errors and cancellation are seen to there. One that changes
/// anything outside of the directory it fills is an `UndoingProvider` too.
public protocol Provider: Sendable {
    /// Connects, looks, estimates, and shows that the dump could work. Changes nothing, anywhere.
    ///
    /// Throws only when nothing more can be said about the source; anything that an operator should know besides is a
    /// finding of what is returned. The caller closes a prepared source.
    func prepare(in run: RunContext) async throws(DumpError) -> any PreparedSource
}

/// A source that was examined and could be dumped.
public protocol PreparedSource: Sendable {
    /// What was learnt of the source and of the means to dump it, such as `server_version`; shown in this order. No secrets.
    var facts: ErrorContext { get }

    /// What the operator should know, most severe first. A finding of severity `failure` keeps the run from starting.
    var findings: [Finding] { get }

    /// What is in the source and will not be in the dump, as far as it is known now. Each is about one object, and none of them
    /// is among `findings` too. A severity of `failure` keeps the run from starting here as well.
    ///
    /// What the dump itself left out is in `DumpSummary.omissions`: asked again, of the source as it was frozen.
    var omissions: [Finding] { get }

    /// What will be dumped, one entry for each piece that can be dumped beside the others, with estimated sizes.
    var units: [WorkUnit] { get }

    /// Opens the source's point in time. After a throw there is nothing to release.
    func freeze(in run: RunContext) async throws(DumpError) -> any FrozenSource

    /// Gives back what prepare took, after release. Never throws.
    func close() async
}

extension PreparedSource {
    public var findings: [Finding] { [] }
    public var omissions: [Finding] { [] }
    public func close() async {}
}

/// A source whose point in time is open.
public protocol FrozenSource: Sendable {
    /// Writes one dump into `directory`, which exists, is empty and private, and has no other user.
    ///
    /// Returns once every byte is written, every child process has ended well, and the provider has convinced itself that
    /// the dump is complete. What each unit of work asks of its source runs within `run.perform`. After a throw or a cancellation the caller discards
    /// `directory`, whatever it holds, and no child process is left.
    func dump(into directory: FilePath, in run: RunContext) async throws(DumpError) -> DumpSummary

    /// Gives back what the freeze took. Called exactly once. Never throws.
    func release() async

    /// Whether Borg should read the source itself (`TreeContents.reference`). The source is then released after that, if need be after the
    /// prepared source was closed.
    var isReadInPlace: Bool { get }

    /// The error of a dump with what the source knows about it. For example, which file was at hand when the time was up, or that the
    /// source's snapshot was lost. The same error if the source knows nothing more.
    func explained(_ error: DumpError, in directory: FilePath) async -> DumpError
}

extension FrozenSource {
    public var isReadInPlace: Bool { false }
    public func release() async {}
    public func explained(_ error: DumpError, in directory: FilePath) async -> DumpError { error }
}

/// A piece of a dump that can be taken beside the others, such as one database.
public struct WorkUnit: Sendable, Hashable {
    /// The piece as the operator knows it.
    public var name: String
    /// Where it will lie, relative to the dump's directory. A file or a directory.
    public var path: FilePath
    /// Expected size of its dump in bytes; a guess.
    public var estimatedBytes: Int64

    public init(name: String, path: FilePath, estimatedBytes: Int64) {
        self.name = name
        self.path = path
        self.estimatedBytes = estimatedBytes
    }
}

/// Something prepare or dump noticed that an operator should know.
public struct Finding: Sendable, Codable, Hashable {
    public enum Severity: String, Sendable, Codable, Comparable, CaseIterable {
        case note, warning, failure

        public static func < (left: Self, right: Self) -> Bool {
            allCases.firstIndex(of: left)! < allCases.firstIndex(of: right)!
        }
    }

    public var severity: Severity
    /// A stable word for scripts, such as `database_not_connectable`.
    public var code: String
    /// What it is about: a database, a table, a path.
    public var object: String
    /// One line, lower case, no full stop.
    public var message: String
    /// A sentence that says what to do.
    public var hint: String?

    public init(_ severity: Severity, _ code: String, object: String, _ message: String, hint: String? = nil) {
        self.severity = severity
        self.code = code
        self.object = object
        self.message = message.onOneLine
        self.hint = hint
    }

    /// The message for a list of several dumps. Many name their dump already.
    public static func sentence(_ message: String, of dump: String) -> String {
        message.contains("dump '\(dump)'") ? message : "dump \(dump): \(message)"
    }

    /// A finding for a job that has an application held still while its sources are frozen.
    ///
    /// - Parameter what: what is read only later, such as `/etc is read`.
    public static func outsideFreeze(_ what: String, object: String, hint: String) -> Finding {
        Finding(
            .warning, "outside_freeze", object: object, "\(what) after the thaw, and may have changed since the freeze",
            hint: hint)
    }

    /// An error as the finding of a check, with the last of what the program said that failed.
    public init(_ error: any OperatorError, about object: String) {
        let words = (error.context["borg"] ?? error.context["stderr"] ?? error.context["reason"])?.split(
            separator: "\n"
        ).last
        let said = words.map { error.message.contains($0) ? "" : ": \($0)" } ?? ""
        self.init(.failure, error.codeName, object: object, error.message + said, hint: error.hint)
    }
}
