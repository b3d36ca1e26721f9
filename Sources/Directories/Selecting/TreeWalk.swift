import DumpCore
import Linux
import SystemPackage

/// One pass over a file tree: what is to be dumped of it, in the order of `TreeEntry.precedes`.
///
/// Blocking. The source may change meanwhile.
struct TreeWalk {
    let source: OpenDirectory
    let selection: Selection
    /// How long a path may be: what is longer could not be extracted from an archive.
    let longestPath: Int
    /// Told what is being listed.
    let atHand: FilesAtHand
    let stop: StopSign

    /// How many directories deep an entry may lie. Borg unpacks each as a call within a call, of which Python allows a thousand.
    static let deepest = 800

    /// What was passed over.
    private(set) var omissions = OmissionList()
    /// How many entries that was, each directory as one.
    private(set) var omitted = 0
    private(set) var use = PatternUse()
    /// What was listed by its directory and gone when it was looked at.
    private(set) var vanished = FirstOfMany<FilePath>()

    init(_ source: OpenDirectory, _ selection: Selection, longestPath: Int, atHand: FilesAtHand, until stop: StopSign) {
        self.source = source
        self.selection = selection
        self.longestPath = longestPath
        self.atHand = atHand
        self.stop = stop
    }

    /// Calls `visit` for the root, whose path is empty, and all that is to be dumped below it.
    ///
    /// - Parameter visit: false if what is there has vanished.
    mutating func visitAll(_ visit: (FilePath, FileStatus) throws(DumpError) -> Bool) throws(DumpError) {
        let root = FilePath()
        _ = try visit(root, try attempting(to: "look at", root, of: source) { try source.status(of: root) })
        var names = SortedNames()
        let first = try attempting(to: "list", root, of: source) { try names.next(in: root, of: source) }
        try descend(root, from: first, names, visit)
        atHand.list(nil)
    }

    /// - Parameters:
    ///   - first: the first name in the directory; nil if it has none.
    ///   - rest: the names after that.
    private mutating func descend(
        _ directory: FilePath, from first: FilePath.Component?, _ rest: SortedNames,
        _ visit: (FilePath, FileStatus) throws(DumpError) -> Bool
    ) throws(DumpError) {
        var (next, rest) = (first, rest)
        while let name = next {
            try stop.check(DumpError.self)
            atHand.list(directory)
            try take(directory.appending(name), visit)
            next = try unlessVanished(directory) { try rest.next(in: directory, of: $0) } ?? nil
        }
    }

    private mutating func take(
        _ path: FilePath, _ visit: (FilePath, FileStatus) throws(DumpError) -> Bool
    ) throws(DumpError) {
        let status: FileStatus
        do {
            guard let found = try unlessVanished(path, { try $0.status(of: path) }) else { return }
            status = found
        } catch {
            // Such as another user's FUSE mount, into which not even root may look.
            guard let omission = selection.omission(ofUnseen: path, in: source, noting: &use) else { throw error }
            return pass(over: omission)
        }
        // A socket is of no use without the process that made it.
        guard status.kind != .socket else { return }
        if let omission = selection.omission(of: path, status, noting: &use) { return pass(over: omission) }
        try selection.requireInSnapshot(path, status)
        try requireRestorable(path)
        guard status.kind == .directory else {
            if try !visit(path, status) { vanished.add(path) }
            return
        }
        atHand.list(path)
        source.expect(path, status)
        var names = SortedNames()
        guard let first = try unlessVanished(path, { try names.next(in: path, of: $0) }) else { return }
        if let omission = selection.omission(ofHolder: path, in: source) { return pass(over: omission) }
        guard try visit(path, status) else { return vanished.add(path) }
        try descend(path, from: first, names, visit)
    }

    private mutating func pass(over omission: Finding) {
        omissions.add(omission)
        omitted += 1
    }

    private func requireRestorable(_ path: FilePath) throws(DumpError) {
        guard path.components.count <= Self.deepest else {
            throw DumpError(
                .pathTooLong,
                "a path below \(source.path) leads through more than \(Self.deepest) directories, which Borg cannot archive",
                hint: "Leave it out with exclude:, or dump a deeper directory.",
                context: ["path": path.string])
        }
        guard path.length <= longestPath else {
            throw DumpError(
                .pathTooLong, "a path below \(source.path) has \(path.length) bytes, too many to restore it",
                hint:
                    "Shorten it to \(longestPath) bytes, leave it out with exclude:, or dump a deeper directory.",
                context: ["path": path.string])
        }
    }

    private mutating func unlessVanished<Result>(
        _ path: FilePath, _ look: (OpenDirectory) throws -> Result
    ) throws(DumpError) -> Result? {
        do {
            return try attempting(to: "read", path, of: source) { try look(source) }
        } catch {
            guard error.isOfSomethingGone else { throw error }
            vanished.add(path)
            return nil
        }
    }
}

extension DumpError {
    /// Whether what a directory has listed is no longer there, or something else is in its place or in that of a directory above it.
    var isOfSomethingGone: Bool { (underlying as? Errno)?.isOfSomethingGone ?? false }
}

extension Errno {
    var isOfSomethingGone: Bool {
        [.noSuchFileOrDirectory, .notDirectory, .tooManySymbolicLinkLevels, .noSuchAddressOrDevice].contains(self)
    }
}

extension DumpErrorCode {
    /// A path is longer than can be extracted from an archive.
    static let pathTooLong = Self(rawValue: "path_too_long")
    /// A snapshot has an empty directory in the place of a volume that should be in the dump.
    static let volumeMissing = Self(rawValue: "volume_missing")
    /// A file changed each time that it was copied.
    static let fileChanged = Self(rawValue: "file_changed")
    /// A file's status does not tell how many bytes it has.
    static let fileSizeUnknown = Self(rawValue: "file_size_unknown")
    /// Something of a file cannot be kept on the file system of the staging area.
    static let cannotPreserve = Self(rawValue: "cannot_preserve")
}

/// An operating system's refusal as an error that names what it was about.
func attempting<Result>(
    to act: String, _ path: FilePath, of root: OpenDirectory, _ work: () throws -> Result
) throws(DumpError) -> Result {
    do {
        return try work()
    } catch let error as DumpError {
        throw error
    } catch {
        let errno = error as? Errno
        let place = root.path.pushing(path)
        switch errno {
        case .noSpace?, .diskQuotaExceeded?:
            throw DumpError(
                .noSpace, "no space to \(act) \(place)",
                hint: "Free space on this file system, or move the staging area to a larger one.", underlying: error)
        case .permissionDenied?, .notPermitted?:
            throw DumpError(
                .system, "cannot \(act) \(place): \(error)",
                hint: "Run Muster as root, or as a user who may, or leave it out with exclude:.", underlying: error)
        default:
            throw DumpError(
                .system, "cannot \(act) \(place): \(error)",
                hint: errno == .ioError ? "The disk may be failing: look at the kernel's log." : nil, underlying: error)
        }
    }
}
