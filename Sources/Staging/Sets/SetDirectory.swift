import Checksums
import DumpCore
import Linux
import Synchronization
import SystemPackage

/// A directory that should hold a set: `current/`, `previous/`, or one that was extracted from an archive.
public struct SetDirectory: Sendable, Hashable {
    public let root: FilePath

    public init(_ root: FilePath) { self.root = root }

    /// Compares every file with its checksum, the lists of checksums with the manifest, and what is there with the lists.
    ///
    /// - Parameters:
    ///   - parts: what was extracted of the set, if not all: besides them only the manifest and the lists of their dumps are there.
    ///   - manifestSHA256: of the manifest that was sealed, where that is known from elsewhere.
    ///   - referencedTrees: whether the trees that Borg read in place are there. Their files have no checksums but Borg's own: they are
    ///     compared with the inventory in all else.
    ///   - digests: of files that were read while they were written here. They are not read a second time. Only for a directory that no
    ///     other process could write to since.
    ///   - comparesTables: whether tables that are stored as rows are compared as they are put together. Not where that is done next.
    ///   - progress: told from several threads how many of all bytes have been compared.
    ///
    /// Throws `.notASet` without a manifest, `.damagedSet` with one that cannot be read, `.newerFormat`, and `.cancelled`. All
    /// else that is wrong with the set is in the report.
    public func verify(
        _ parts: [SetPart]? = nil, manifestSHA256: String? = nil, referencedTrees: ReferencedTrees = .elsewhere,
        knowing digests: DigestSpool? = nil, comparingTables comparesTables: Bool = true,
        progress: @escaping @Sendable (_ done: Int64, _ total: Int64) -> Void = { _, _ in }
    ) async throws(StagingError) -> VerificationReport {
        let root = root
        let (head, total, pass) = try await onOwnThread { () throws(StagingError) in
            let head = try SetHead(of: root)
            let total = parts == nil ? head.manifest.dumps.lazy.map(\.bytes).total : FileTree(root).bytes()
            let walk = try SetWalk(head, parts: parts, referencedTrees: referencedTrees)
            return (head, total, ContentPass(walk, knowing: digests))
        }
        let done = Counter()
        var result = try await pass.perform { progress(done.add($0), total) }
        if let manifestSHA256, manifestSHA256 != head.manifestSHA256 {
            result.problems.add(
                .changed, FilePath(root: nil, [SetLayout.manifest]),
                "changed, its SHA-256 is \(head.manifestSHA256) and not \(manifestSHA256)")
        }
        if comparesTables { result.problems += try await tableProblems(of: head.manifest, parts) }
        return VerificationReport(
            manifest: head.manifest, files: result.files, bytes: result.bytes, problems: result.problems.sorted())
    }
}

extension SetDirectory {
    /// The files that the list of a dump names, relative to the set. Does not check that it is the list that was sealed.
    ///
    /// - Parameter longest: how many bytes the list may have. Nil if it has more, or cannot be read.
    public func listedFiles(of dump: Manifest.DumpRecord, longest: Int64) -> [FilePath]? {
        let path = root.pushing(FilePath(dump.checksums.path))
        guard let status = try? FileSystem.status(of: path), status.bytes <= longest,
            let bytes = try? SmallFile(path).read(), let list = try? ChecksumList(parsing: bytes)
        else { return nil }
        return list.lines.map(\.path)
    }
}

/// Where the trees are that Borg reads in place.
public enum ReferencedTrees: Sendable {
    /// Not in the set.
    case elsewhere
    /// In the set, as `muster extract` puts them there.
    case extracted
    /// Some in the set, in an extracted set.
    case either
}

/// What was found when a set was compared with its manifest and checksums.
public struct VerificationReport: Sendable, Equatable {
    public var manifest: Manifest
    /// How many files, and bytes, were compared with their checksums.
    public var files: Int
    public var bytes: Int64
    /// In the order of their paths.
    public var problems: [SetProblem]

    /// Whether the set is exactly what was sealed.
    public var isFaithful: Bool { problems.isEmpty }
}

/// One thing that is not as the manifest says.
public struct SetProblem: Error, Sendable, Hashable, Comparable, CustomStringConvertible {
    public enum Kind: String, Sendable {
        /// Listed, and not there.
        case missing
        /// There, and not listed.
        case extra
        /// Not what was sealed.
        case changed
        /// Neither a regular file nor a directory.
        case notAFile = "not_a_file"
        /// The operating system refused to read it.
        case unreadable
    }

    public var kind: Kind
    /// Relative to the set.
    public var path: FilePath
    /// What is the matter with it, on one line.
    public var details: String

    public var description: String { "\(path): \(details)".onOneLine }

    /// By path, then by kind.
    public static func < (left: Self, right: Self) -> Bool {
        let words = { (problem: Self) in "\(problem.path)\0\(problem.kind.rawValue)\0\(problem.details)".utf8 }
        return words(left).lexicographicallyPrecedes(words(right))
    }
}

/// A sum that several threads add to.
private final class Counter: Sendable {
    private let sum = Atomic<Int64>(0)
    func add(_ count: Int64) -> Int64 { sum.add(count, ordering: .relaxed).newValue }
}
