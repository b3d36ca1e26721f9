import SystemPackage

/// What a job file says under `snapshot:` of a directory.
public struct SnapshotSettings: Sendable, Equatable {
    public var kind: Kind
    /// How much a snapshot of a classic logical volume may hold; of no meaning for any other.
    public var size = SnapshotSize.standard
    public var nested = Nested.refuse
    /// The commands of the kind `command`, and of no other.
    public var commands: SnapshotCommands?

    public enum Kind: String, Sendable, CaseIterable {
        /// Whichever the path lives on.
        case auto
        case btrfs, lvm, zfs
        /// By the operator's own commands.
        case command
    }

    /// What becomes of the parts of a tree that a snapshot of its volume does not hold. These are subvolumes, datasets and other file
    /// systems that begin somewhere below the path.
    public enum Nested: String, Sendable, CaseIterable {
        /// The run does not start.
        case refuse
        /// Subvolumes and datasets get a snapshot of their own, which is mounted in its place. Other file systems are
        /// refused.
        case include
        /// They are not in the dump, and a warning says so.
        case omit
    }

    public init(_ kind: Kind = .auto) { self.kind = kind }

    /// By the operator's own commands.
    public init(_ commands: SnapshotCommands) {
        kind = .command
        self.commands = commands
    }
}

/// The operator's own way to a snapshot: for storage that Muster does not know.
///
/// Each command is a program and its arguments, run without a shell, in the directory `/`, and must end with status 0
/// within the deadline. They find in their environment:
///
/// - `MUSTER_JOB`, `MUSTER_DUMP`, `MUSTER_RUN_ID`: whom they work for
/// - `MUSTER_SNAPSHOT_NAME`: `muster-JOB-RUN-DUMP`, which no other snapshot has
/// - `MUSTER_SOURCE`: the path that is dumped, with all symbolic links resolved
/// - `MUSTER_MOUNT_POINT`: an empty directory, the same in every run
public struct SnapshotCommands: Sendable, Equatable {
    /// The atomic act, and as little else as possible: the dump is as of between its start and its end.
    public var create: [String] = []
    /// Shows what `MUSTER_SOURCE` held, read-only, at `MUSTER_MOUNT_POINT`.
    public var mount: [String] = []
    /// Undoes both, as far as either was done, and may be called again: nothing there is success. It gets the same
    /// as the others, and runs after a crash too, when only a part of them, or none, was done.
    public var release: [String] = []
    /// For each of them.
    public var deadline = Duration.seconds(300)

    public init() {}

    public init(create: [String], mount: [String], release: [String], deadline: Duration = .seconds(300)) {
        self.create = create
        self.mount = mount
        self.release = release
        self.deadline = deadline
    }
}

/// The size of a snapshot as lvcreate(8) takes it: `10%ORIGIN`, `50%FREE`, `1%VG`, or bytes such as `5G`.
public struct SnapshotSize: Sendable, Equatable, CustomStringConvertible {
    public let description: String

    /// A tenth of the volume.
    public static let standard = SnapshotSize(checked: "10%ORIGIN")

    /// What `text` spells, or nil if it spells none.
    public init?(_ text: String) {
        guard text.wholeMatch(of: /[1-9][0-9]*(%(ORIGIN|VG|FREE)|[KMGTP])/) != nil else { return nil }
        self.init(checked: text)
    }

    private init(checked text: String) { description = text }

    /// The option of lvcreate(8) that it is given with.
    var arguments: [String] { [description.contains("%") ? "--extents" : "--size", description] }

    /// Nil where it depends on more than the volume.
    func bytes(ofOrigin origin: Int64) -> Int64? {
        guard let number = Int64(description.prefix { $0.isNumber }) else { return nil }
        if description.hasSuffix("%ORIGIN") { return origin.multipliedReportingOverflow(by: number).partialValue / 100 }
        guard !description.contains("%"), let power = "KMGTP".firstIndex(of: description.last!) else { return nil }
        return number << (10 * ("KMGTP".distance(from: "KMGTP".startIndex, to: power) + 1))
    }
}
