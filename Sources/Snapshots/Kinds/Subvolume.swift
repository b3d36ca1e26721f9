import DumpCore
import Linux
import SystemPackage

/// What `btrfs subvolume show` says of a subvolume or of a snapshot, which is one too.
struct Subvolume: Sendable, Equatable {
    /// Where we see it.
    var point: FilePath
    /// Where it is in its file system, relative to the top; empty for the top itself.
    var path: FilePath
    var id: String
    /// The subvolume that it is a snapshot of, if it is one.
    var parentID: String?
    var isReadOnly: Bool
    var generation: UInt64
    var generationAtCreation: UInt64

    /// In the place of an id: the top of a file system that btrfs-progs before 4.16 made has none.
    static let noID = "-"

    /// The one that begins at `point`.
    static func at(_ point: FilePath, by programs: SystemPrograms) async throws(DumpError) -> Subvolume {
        let output = try await programs.bytes("btrfs", ["subvolume", "show", point.string])
        guard let subvolume = Subvolume(at: point, showing: output) else {
            throw DumpError(
                .programUnsuitable, "btrfs subvolume show \(point) wrote what Muster does not understand",
                context: ["output": String(decoding: output, as: UTF8.self)])
        }
        return subvolume
    }

    /// - Parameter output: the path in the first line, then a fact in each; by bytes, as names hold any but NUL and `/`.
    init?(at point: FilePath, showing output: [UInt8]) {
        let lines = output.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        // Btrfs' own is the last of two that are called alike: a name with line breaks may forge one before it.
        let facts = Dictionary(lines.dropFirst().compactMap(Self.fact)) { $1 }
        guard let first = lines.first, let id = facts["UUID"], let parent = facts["Parent UUID"],
            let flags = facts["Flags"], let generation = facts["Generation"].flatMap({ UInt64($0) }),
            let creation = facts["Gen at creation"].flatMap({ UInt64($0) })
        else { return nil }
        self.point = point
        path = ["/", "<FS_TREE>"].contains(FilePath(bytes: first)) ? FilePath() : FilePath(bytes: first) ?? FilePath()
        self.id = id
        parentID = parent == Self.noID ? nil : parent
        isReadOnly = flags.split(atASCII: " ").contains("readonly")
        self.generation = generation
        generationAtCreation = creation
    }

    private static func fact(_ line: ArraySlice<UInt8>) -> (name: String, value: String)? {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return nil }
        let trimmed = [line[..<colon], line[(colon + 1)...]].map { part in
            String(decoding: part.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }, as: UTF8.self)
        }
        return (trimmed[0], trimmed[1])
    }

    /// The subvolumes that lie in this one, and in those, as far as they are to be seen at or below `directory`.
    func nested(below directory: FilePath, by programs: SystemPrograms) async throws(DumpError) -> [Subvolume] {
        var found: [Subvolume] = []
        for point in try await children(by: programs) where try MountTable.isSubvolume(point) {
            guard point.starts(with: directory) || directory.starts(with: point) else { continue }
            let child = try await Subvolume.at(point, by: programs)
            found.append(child)
            found += try await child.nested(below: directory, by: programs)
        }
        return found
    }

    /// `list -o` has those directly below, by their paths from the top of the file system.
    ///
    /// A name with a line break is not understood. Its place in the snapshot fails the dump, see `MissingVolumes`.
    private func children(by programs: SystemPrograms) async throws(DumpError) -> [FilePath] {
        let output = try await programs.bytes("btrfs", ["subvolume", "list", "-o", point.string])
        return output.split(separator: UInt8(ascii: "\n")).compactMap { line in
            guard let range = line.firstRange(of: Array(" path ".utf8)),
                var relative = FilePath(bytes: line[range.upperBound...]), relative.removePrefix(path)
            else { return nil }
            return point.pushing(relative)
        }
    }

    /// A snapshot that Muster took, for this job or another, now or before it died. It does not belong to what the operator
    /// has.
    var isOwnSnapshot: Bool {
        isReadOnly && parentID != nil && point.isCalledLikeOwnSnapshot
    }
}

extension FilePath {
    /// Whether its last component is what Muster calls its Btrfs snapshots.
    public var isCalledLikeOwnSnapshot: Bool { lastComponent?.string.hasPrefix(".muster-") == true }
}

extension FileStatus {
    /// Whether a Btrfs subvolume begins here: its root has the inode 256, which nothing else on Btrfs has.
    public var isRootOfSubvolume: Bool { kind == .directory && inode == 256 }

    /// Whether it is the empty directory that a snapshot has in the place of a subvolume: nothing else on Btrfs has the inode 2. On other
    /// file systems it says nothing.
    public var isPlaceOfSubvolume: Bool { kind == .directory && inode == 2 }
}

extension MountTable {
    /// Whether a subvolume begins at `path`.
    static func isSubvolume(_ path: FilePath) throws(DumpError) -> Bool {
        try status(of: path)?.isRootOfSubvolume ?? false
    }

    /// Whether `path`, in a snapshot, is where a subvolume was, which is not in it.
    static func isPlaceOfSubvolume(_ path: FilePath) throws(DumpError) -> Bool {
        try status(of: path)?.isPlaceOfSubvolume ?? false
    }

    private static func status(of path: FilePath) throws(DumpError) -> FileStatus? {
        do throws(Errno) {
            return try FileSystem.status(of: path)
        } catch .noSuchFileOrDirectory {
            return nil
        } catch {
            throw DumpError(.system, "cannot look at \(path): \(error)", underlying: error)
        }
    }
}
