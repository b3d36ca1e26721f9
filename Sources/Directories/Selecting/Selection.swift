import DumpCore
import Glibc
import Linux
import Snapshots
import SystemPackage

/// Which entries of a tree are left out, and why.
struct Selection: Sendable {
    private let settings: SelectionSettings
    let patterns: [ExcludePattern]
    private let markers: [FilePath.Component]
    /// The device of the tree's root.
    private let device: UInt64
    /// Where Muster keeps what it has dumped, relative to the root of the tree.
    private let ownPlaces: OwnPlaces
    private let missingVolumes: MissingVolumes?

    /// - Parameters:
    ///   - device: of the root of the tree.
    ///   - missingVolumes: of the snapshot that the tree is in.
    init(
        _ settings: SelectionSettings, device: UInt64, ownPlaces: OwnPlaces, missingVolumes: MissingVolumes? = nil
    ) {
        self.settings = settings
        self.device = device
        self.ownPlaces = ownPlaces
        self.missingVolumes = missingVolumes
        // The shape of the settings has let none through that is not one.
        patterns = settings.exclude.compactMap { ExcludePattern($0) }
        markers = settings.excludeIfPresent.compactMap { FilePath.Component($0) }
    }

    /// Why an entry is left out by its name or place, or nil if it is not.
    ///
    /// - Parameter use: learns which patterns match it.
    func omission(of path: FilePath, _ status: FileStatus, noting use: inout PatternUse) -> Finding? {
        let isDirectory = status.kind == .directory
        if isDirectory, ownPlaces.contain(path, status) {
            return Finding(
                .note, "own_place", object: path.string,
                "\(path) is left out: it is a staging directory or a repository of this job")
        }
        if isDirectory, status.device != device {
            if status.isRootOfSubvolume, path.isCalledLikeOwnSnapshot { return Self.ownSnapshot }
            if settings.isOneFileSystem { return Self.otherFileSystem(at: path) }
        }
        if missingVolumes?.isOwnSnapshot(path, status) == true { return Self.ownSnapshot }
        return exclusion(of: path, isDirectory: isDirectory, noting: &use)
    }

    /// Throws for the place of a volume that the snapshot lacks, unknown to the operator.
    func requireInSnapshot(_ path: FilePath, _ status: FileStatus) throws(DumpError) {
        guard missingVolumes?.includes(path, status) == true else { return }
        throw DumpError(
            .volumeMissing, "the subvolume at \(path) is not in the snapshot, which has an empty directory there",
            hint:
                "Leave it out with exclude:, set nested: omit, or rename it, if its name has characters that btrfs cannot list in a line.",
            context: ["path": path.string])
    }

    /// The same for what even root cannot look at, such as the root of another user's file system.
    func omission(
        ofUnseen path: FilePath, in root: OpenDirectory, noting use: inout PatternUse
    ) -> Finding? {
        if settings.isOneFileSystem, let place = try? MountTable.place(of: root.path).path,
            (try? MountTable.current())?.mount(at: place.pushing(path)) != nil
        {
            return Self.otherFileSystem(at: path)
        }
        return exclusion(of: path, isDirectory: true, noting: &use)
    }

    static let patternCode = "excluded"

    private static let ownSnapshot = Finding(
        .note, "own_snapshot", object: ".muster-*", "snapshots that Muster took are left out",
        hint: "muster status shows one that stays, and muster undo removes it.")

    private static func otherFileSystem(at path: FilePath) -> Finding {
        Finding(
            .note, "other_file_system", object: path.string,
            "\(path) is left out: another file system is mounted there",
            hint: "Remove one_file_system, or give it a dump of its own, if it matters.")
    }

    private func exclusion(of path: FilePath, isDirectory: Bool, noting use: inout PatternUse) -> Finding? {
        guard !patterns.isEmpty else { return nil }
        let components = path.components.map(\.bytes)
        // Nothing above it has left it out.
        var decisive: ExcludePattern?
        for (number, pattern) in patterns.enumerated().reversed() where decisive == nil || !use.matched.contains(number)
        {
            guard pattern.matches(components, isDirectory: isDirectory) else { continue }
            decisive = decisive ?? pattern
            use.matched.insert(number)
        }
        guard let last = decisive, !last.isNegated else { return nil }
        return Finding(
            .note, Self.patternCode, object: last.text, "what matches '\(last.text)' is left out",
            hint: "Change exclude: if it matters.")
    }

    /// Why a directory is left out by what is in it, or nil if it is not.
    func omission(ofHolder directory: FilePath, in root: OpenDirectory) -> Finding? {
        if isPlaceOfOwnSnapshot(directory, in: root) { return Self.ownSnapshot }
        // Asked by name: of what is in a directory no list is kept.
        if let marker = markers.first(where: { (try? root.status(of: directory.appending($0))) != nil }) {
            return Finding(
                .note, "excluded_by_marker", object: directory.string, "\(directory) is left out: it holds \(marker)",
                hint: "Remove that file if it matters.")
        }
        guard settings.excludesCaches, Self.isCache(directory, in: root) else { return nil }
        return Finding(
            .note, "excluded_cache", object: directory.string,
            "\(directory) is left out: its \(cacheTag) declares it to be a cache",
            hint: "Remove exclude_caches if it matters.")
    }

    /// Whether it is the directory, closed to all but root, that holds our snapshots at the top of a Btrfs.
    private func isPlaceOfOwnSnapshot(_ directory: FilePath, in root: OpenDirectory) -> Bool {
        guard directory.isCalledLikeOwnSnapshot, let status = try? root.status(of: directory), status.uid == 0,
            status.mode == 0o700, let names = try? root.names(in: directory),
            names.allSatisfy({ $0 == directory.lastComponent })
        else { return false }
        guard let name = names.first else { return true }
        guard let inner = try? root.status(of: directory.appending(name)) else { return true }
        return inner.isRootOfSubvolume || inner.isPlaceOfSubvolume
    }

    private static func isCache(_ directory: FilePath, in root: OpenDirectory) -> Bool {
        let path = directory.appending(cacheTag)
        // What cannot be read declares nothing, and is found to be unreadable when it is copied.
        guard (try? root.status(of: path))?.kind == .file, let file = try? root.openFile(path) else { return false }
        defer { try? file.close() }
        guard let found = try? file.readAll(atMost: cacheSignature.utf8.count) else { return false }
        return found.elementsEqual(cacheSignature.utf8)
    }
}

private let cacheTag = FilePath.Component("CACHEDIR.TAG")
private let cacheSignature = "Signature: 8a477f597d28d172789f06886806bc55"

extension FilePath.Component {
    var bytes: [UInt8] { withPlatformString { Array(UnsafeRawBufferPointer(start: $0, count: strlen($0))) } }
}
