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
        let text = try await programs.run("btrfs", ["subvolume", "show", point.string])
        guard let subvolume = Subvolume(at: point, showing: text) else {
            throw DumpError(
                .programUnsuitable, "btrfs subvolume show \(point) wrote what Muster does not understand",
                context: ["output": text])
        }
        return subvolume
    }

    init?(at point: FilePath, showing text: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        var facts: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            facts[String(line[..<colon].drop { $0 == " " || $0 == "\t" })] = String(value)
        }
        guard let first = lines.first, let id = facts["UUID"], let parent = facts["Parent UUID"],
            let flags = facts["Flags"], let generation = facts["Generation"].flatMap({ UInt64($0) }),
            let creation = facts["Gen at creation"].flatMap({ UInt64($0) })
        else { return nil }
        self.point = point
        path = first == "/" || first == "<FS_TREE>" ? FilePath() : FilePath(String(first))
        self.id = id
        parentID = parent == Self.noID ? nil : parent
        isReadOnly = flags.split(separator: " ").contains("readonly")
        self.generation = generation
        generationAtCreation = creation
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
    private func children(by programs: SystemPrograms) async throws(DumpError) -> [FilePath] {
        let text = try await programs.run("btrfs", ["subvolume", "list", "-o", point.string])
        return text.split(separator: "\n").compactMap { line in
            guard let range = line.firstRange(of: " path ") else { return nil }
            var relative = FilePath(String(line[range.upperBound...]))
            guard relative.removePrefix(path) else { return nil }
            return point.pushing(relative)
        }
    }

    /// A snapshot that Muster took, for this job or another, now or before it died. It is no part of what the operator
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
}

extension MountTable {
    /// Whether a subvolume begins at `path`.
    static func isSubvolume(_ path: FilePath) throws(DumpError) -> Bool {
        try status(of: path)?.isRootOfSubvolume ?? false
    }

    /// Whether `path`, in a snapshot, is where a subvolume was, which is not in it: the empty directory there has the inode 2, which nothing
    /// else on Btrfs has.
    static func isPlaceOfSubvolume(_ path: FilePath) throws(DumpError) -> Bool {
        try status(of: path).map { $0.kind == .directory && $0.inode == 2 } ?? false
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
