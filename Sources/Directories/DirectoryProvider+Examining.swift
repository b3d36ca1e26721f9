import DumpCore
import Glibc
import Linux
import Snapshots
import SystemPackage
import Trees

extension DirectoryProvider {
    /// Looks at the path and at all that is below it.
    func examined(for run: RunContext) async throws(DumpError) -> PreparedDirectory {
        let planned: PlannedSnapshot?
        if let snapshot = settings.snapshot {
            planned = try await round.examine(settings.path, snapshot, for: run.dump, in: run)
        } else {
            planned = nil
        }
        let atHand = FilesAtHand()
        do {
            return try await run.withinDeadline("looking at \(settings.path)") {
                try await onOwnThreadUntilCancelled { stop throws(DumpError) in
                    try survey(for: run, planned, atHand, until: stop)
                }
            }
        } catch {
            throw atHand.explained(error, below: settings.path)
        }
    }

    private func survey(
        for run: RunContext, _ planned: PlannedSnapshot?, _ atHand: FilesAtHand, until stop: StopSign
    ) throws(DumpError) -> PreparedDirectory {
        let source = try OpenDirectory.source(settings.path)
        let status = try attempting(to: "look at", FilePath(), of: source) { try source.status(of: FilePath()) }
        let (path, mount) = try place()
        try requireMount(mount, at: path)
        let hidden = try hiddenPlaces(in: path, mount)
        let ownPlaces = try ownPlaces(of: run, below: path)
        let selection = Selection(settings.selection, device: status.device, ownPlaces: ownPlaces)
        var walk = TreeWalk(source, selection, longestPath: longestPath(of: run), atHand: atHand, until: stop)
        var size = TreeSize()
        let last =
            run.shortcuts.previous?.record.tree?.reference == nil ? run.shortcuts.previous?.record.moment.from : nil
        var rights = CopyRights.ofProcess()
        try walk.visitAll { (path, status) throws(DumpError) in
            if hidden.contains(path) { throw hiddenByUnit(source.path.pushing(path)) }
            rights.add(path, status, in: source)
            try settings.requireReadable(path, status, in: source.path)
            // A guess: whatever moved here with its directory has not changed and is new.
            size.add(status, isUnchanged: last.map { status.changed < $0.nanoseconds } ?? false)
            return true
        }
        try requireEntries(size, of: walk)
        return PreparedDirectory(
            settings: settings, planned: planned, isReferenced: isReferenced(in: run),
            ownPlaces: ownPlaces, longestPath: longestPath(of: run), fileSystem: mount.fileSystem,
            size: size,
            findings: rights.findings(isCopied: !isReferenced(in: run))
                + selection.unmatched(walk.use, in: settings.path) + (planned?.findings ?? liveFindings(run)),
            omissions: walk.omissions.findings(of: settings.path.string),
            root: FileNumber(status))
    }

    private func requireMount(_ mount: MountTable.Mount, at path: FilePath) throws(DumpError) {
        guard settings.requiresMount, mount.point != path else { return }
        throw DumpError(
            .sourceUnavailable, "\(settings.path) is not a mount point: it is on \(mount.point)",
            hint: "Mount its disk, or remove require_mount.")
    }

    private func requireEntries(_ size: TreeSize, of walk: TreeWalk) throws(DumpError) {
        guard size.entries <= 1 else { return }
        guard walk.omitted > 0 else {
            throw DumpError(
                .sourceUnavailable, "\(settings.path) is empty",
                hint: "Its disk may not be mounted. If there is nothing to dump, remove the dump from the job.")
        }
        let omissions = walk.omissions.findings(of: settings.path.string)
        let what = walk.omitted == 1 ? "its only entry is" : "all of its \(walk.omitted) entries are"
        throw DumpError(
            .settings, "nothing of \(settings.path) is left to dump: \(what) left out",
            hint:
                "Look at \(omissions.keys) of this dump: \(omissions.map(\.message).prefix(3).joined(separator: "; "))."
        )
    }

    /// What a unit of systemd does not let us see below the path, relative to it. Throws if that is the path itself: it looks empty, and is not.
    private func hiddenPlaces(in path: FilePath, _ mount: MountTable.Mount) throws(DumpError) -> Set<FilePath> {
        guard !mount.isPutByUnit else { throw hiddenByUnit(settings.path) }
        let below = ((try? MountTable.current()) ?? MountTable(mounts: [])).mounts(below: path).filter(\.isPutByUnit)
        return Set(below.map { $0.point.relative(to: path) })
    }

    private func hiddenByUnit(_ path: FilePath) -> DumpError {
        DumpError(
            .sourceUnavailable, "the unit that Muster runs in hides \(path): it would be dumped as an empty directory",
            hint:
                "Let the unit see it: muster install-units writes what most jobs need; else look for ProtectHome=, PrivateTmp= and InaccessiblePaths=. Or leave it out: exclude:."
        )
    }

    private func isReferenced(in run: RunContext) -> Bool { settings.stage == .reference && !run.surroundings.isByHand }

    /// Those that are not there yet lie nowhere.
    ///
    /// - Parameter path: with all symbolic links followed.
    private func ownPlaces(of run: RunContext, below path: FilePath) throws(DumpError) -> OwnPlaces {
        let places = run.surroundings.ownPlaces.compactMap { try? MountTable.place(of: $0).path }
        if let place = places.first(where: path.starts) {
            throw DumpError(
                .settings, "\(settings.path) is in \(place), where this job keeps what it has dumped",
                hint: "Dump another directory, or move the staging directory or the repository elsewhere.")
        }
        let inside = places.filter { $0.starts(with: path) }
        if let place = inside.first, isReferenced(in: run) {
            throw DumpError(
                .settings,
                "\(settings.path) has \(place) in it, where this job keeps what it has dumped, and Borg would archive that too",
                hint: "Move that elsewhere, or remove 'stage: reference', which hands over all of the path.")
        }
        return OwnPlaces(
            paths: Set(inside.map { $0.relative(to: path) }),
            numbers: Set(places.compactMap { try? FileNumber(FileSystem.status(of: $0)) }))
    }

    /// What to say about a directory that is read as it is.
    private func liveFindings(_ run: RunContext) -> [Finding] {
        guard run.surroundings.isApplicationHeld else { return [] }
        return [
            .outsideFreeze(
                "\(settings.path) is read", object: settings.path.string,
                hint: "Set snapshot: auto if it belongs to the application.")
        ]
    }

    /// Where the path leads to, and what that is on.
    private func place() throws(DumpError) -> (path: FilePath, mount: MountTable.Mount) {
        do {
            return try MountTable.place(of: settings.path)
        } catch {
            throw DumpError(
                .system, "cannot find out which file system \(settings.path) is on: \(error)", underlying: error)
        }
    }

    /// Borg extracts to the whole path, which must not be longer than the kernel's limit, even below a deep directory.
    private func longestPath(of run: RunContext) -> Int {
        let roomForDirectory = 255
        return Int(PATH_MAX) - 1 - roomForDirectory
            - FilePath(root: nil, [escapedPathComponent(run.dump)]).pushing(TreeLayout.tree).length - 1
    }
}

/// How much there is to copy.
struct TreeSize: Sendable {
    /// The root included.
    var entries = 0
    var files = 0
    /// Bytes in files that have changed since the last dump, each file once; holes do not count.
    var bytes: Int64 = 0
    /// Files with several names: the first so many, as memory must not grow with them.
    private var seen: Set<FileNumber> = []
    private static let mostSeen = 100_000

    mutating func add(_ status: FileStatus, isUnchanged: Bool) {
        entries += 1
        guard status.kind == .file else { return }
        files += 1
        guard !isUnchanged else { return }
        guard status.links > 1 else {
            bytes = bytes.plus(status.diskBytes)
            return
        }
        let number = FileNumber(status)
        guard seen.contains(number) || seen.count < Self.mostSeen else {
            // All its names may be in the tree, and then make up the whole.
            bytes = bytes.plus(status.diskBytes / Int64(status.links))
            return
        }
        if seen.insert(number).inserted { bytes = bytes.plus(status.diskBytes) }
    }
}

extension OpenDirectory {
    /// The directory that is dumped, or an error that says why it cannot be.
    static func source(_ path: FilePath) throws(DumpError) -> OpenDirectory {
        do {
            return try OpenDirectory(alongUsers: path)
        } catch {
            let message: String
            switch error {
            case .notPermitted:
                throw DumpError(
                    .sourceUnavailable,
                    "a link on the way to \(path) belongs to a user, and leads to what is not that user's",
                    hint: "Name the path that it leads to, if you mean to dump that.", underlying: error)
            case .noSuchFileOrDirectory: message = "\(path) does not exist"
            case .notDirectory, .tooManySymbolicLinkLevels:
                let isLink = (try? FileSystem.status(of: path))?.kind == .symbolicLink
                message = "\(path) is \(isLink ? "a symbolic link" : "not a directory")"
            default: message = "cannot open \(path): \(error)"
            }
            throw DumpError(
                .sourceUnavailable, message, hint: "Set path: to an existing directory, not to a link.",
                underlying: error)
        }
    }
}

extension [Finding] {
    /// The keys of a job file that leave out what these are about.
    fileprivate var keys: String {
        let keys = [
            Selection.patternCode: "exclude:", "excluded_by_marker": "exclude_if_present:",
            "excluded_cache": "exclude_caches:", "other_file_system": "one_file_system:",
        ]
        let found = Set(compactMap { keys[$0.code] }).sorted()
        return found.isEmpty ? "path:" : found.joined(separator: " and ")
    }
}
