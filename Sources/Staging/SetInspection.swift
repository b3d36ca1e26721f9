import Checksums
import DumpCore
import Linux
import SystemPackage

/// A set as its manifest and lists describe it, compared with what is there. Contents of listed files are not read.
struct SetInspection: Sendable {
    let root: FilePath
    let manifest: Manifest
    let manifestSHA256: String
    /// The files that are listed and there, in the order of the lists.
    private(set) var files: [ListedFile] = []
    /// In the order of their paths.
    private(set) var problems: [SetProblem] = []
    private(set) var entries: [FileTree.Entry] = []
    let part: SetPart?
    let referencedTrees: ReferencedTrees

    /// Throws for what is no set at all, or cannot be understood. Whatever else is wrong is a problem.
    ///
    /// - Parameters:
    ///   - part: what should be there, if not all of the set.
    ///   - expected: the manifest's SHA-256, where it is known from elsewhere.
    ///   - referencedTrees: whether the trees that Borg read in place are there.
    init(
        of root: FilePath, part: SetPart? = nil, expecting expected: String? = nil,
        referencedTrees: ReferencedTrees = .elsewhere
    ) throws(StagingError) {
        self.root = root
        self.part = part
        self.referencedTrees = referencedTrees
        let path = root.appending(SetLayout.manifest)
        try Self.requireThere(root)
        guard let bytes = try SmallFile(path).readManifest() else {
            throw StagingError(
                .notASet, "\(root) holds no \(SetLayout.manifest): it is no complete set",
                hint: "A set is complete when it has one. Take a new one with muster run.")
        }
        manifest = try Self.decode(bytes, path)
        manifestSHA256 = try attempting(to: "hash", path) { try sha256(of: bytes) }
        entries = try attempting(to: "list", root) { try FileTree(root).entries() }
        compare()
        if let expected, expected != manifestSHA256 {
            add(
                .changed, FilePath(root: nil, [SetLayout.manifest]),
                "changed, its SHA-256 is \(manifestSHA256) and not \(expected)")
        }
        problems.sort()
    }

    /// The set, if nothing is the matter with it.
    func requireIntact() throws(StagingError) -> SealedSet {
        guard problems.isEmpty else { throw .damaged(root, problems) }
        return SealedSet(
            root: root, manifest: manifest, manifestSHA256: manifestSHA256,
            files: entries.count { $0.status.kind == .file })
    }

    /// The run that a set's manifest names, or nil if there is none or it cannot be read. The rest of the set is not looked at.
    static func runID(of root: FilePath) -> RunID? {
        let path = root.appending(SetLayout.manifest)
        // To one who asks this, a set that cannot be read is none.
        guard let bytes = try? SmallFile(path).readManifest() else { return nil }
        return try? SnakeCaseJSON.decode(RunName.self, from: bytes).runID
    }

    /// What a set's manifest says, or nil if there is none or it cannot be read. The set is not compared with it.
    static func manifest(of root: FilePath) -> Manifest? {
        let path = root.appending(SetLayout.manifest)
        // To those who ask this, a damaged set is none: it must not keep a good new one from replacing it.
        guard let bytes = try? SmallFile(path).readManifest() else { return nil }
        return try? decode(bytes, path)
    }

    private struct RunName: Decodable { var runID: RunID }
}

extension SmallFile {
    /// A newer one may be larger than ours, and is to be known as that.
    fileprivate func readManifest() throws(StagingError) -> [UInt8]? {
        do throws(StagingError) {
            return try read(longest: 4 * Manifest.mostBytes)
        } catch {
            throw error.code == .unexpectedFile
                ? StagingError(.damagedSet, error.message, hint: "The next muster run replaces the set.") : error
        }
    }
}

/// A file of a set and the digest that is listed for it.
struct ListedFile: Sendable {
    var path: FilePath
    var sha256: String
    /// Its size now.
    var bytes: Int64

    /// Reads the file, and returns what is wrong with it.
    func compare(
        in root: OpenDirectory, until stop: StopSign, progress: (Int64) -> Void
    ) throws(StagingError) -> SetProblem? {
        do {
            let digest = try FileScan(path, of: root).digest(until: stop, progress: progress)
            guard digest.sha256 != sha256 else { return nil }
            return SetProblem(
                kind: .changed, path: path, details: "changed, its SHA-256 is \(digest.sha256) and not \(sha256)")
        } catch let error where error.code == .cancelled {
            throw error
        } catch {
            return SetProblem(kind: .unreadable, path: path, details: error.message)
        }
    }
}

extension SetInspection {
    private static func decode(_ bytes: [UInt8], _ path: FilePath) throws(StagingError) -> Manifest {
        do throws(ManifestFault) {
            let manifest = try Manifest.decode(bytes)
            guard !manifest.dumps.isEmpty else { throw .malformed("it has no dumps") }
            return manifest
        } catch {
            throw StagingError(error, in: path.string)
        }
    }

    private mutating func compare() {
        var unseen = Dictionary(uniqueKeysWithValues: entries.map { ($0.path, $0.status) })
        take(FilePath(root: nil, [SetLayout.manifest]), from: &unseen)
        for dump in manifest.dumps where part == nil || part?.dump == dump.name {
            compare(dump, &unseen)
            if let tree = tree(of: dump) { compare(tree, of: dump, &unseen) }
        }
        for entry in entries {
            guard let status = unseen[entry.path], !isExpectedDirectory(entry.path, status) else { continue }
            let isSpecial = status.kind != .file && status.kind != .directory && !isInTree(entry.path)
            add(
                isSpecial ? .notAFile : .extra, entry.path,
                isSpecial ? "neither a regular file nor a directory" : "not in the manifest")
        }
    }

    private mutating func compare(_ dump: Manifest.DumpRecord, _ unseen: inout [FilePath: FileStatus]) {
        let list = FilePath(dump.checksums.path)
        guard take(list, from: &unseen) != nil else { return add(.missing, list, "missing") }
        guard let listed = read(list, dump) else { return }
        let lines = listed.filter { part?.covers($0.path) ?? true }
        let known = files.count
        for line in lines {
            guard let status = take(line.path, from: &unseen) else {
                add(.missing, line.path, "missing")
                continue
            }
            // To hash a sparse file of terabytes, which another user may have put there, would take hours.
            guard status.bytes <= dump.bytes.plus(1 << 30) else {
                add(
                    .changed, line.path,
                    "changed, it has \(status.bytes) bytes, and all of the dump has \(dump.bytes)")
                continue
            }
            files.append(ListedFile(path: line.path, sha256: line.sha256, bytes: status.bytes))
        }
        // Sizes are known of whole dumps only.
        guard lines.count == listed.count else { return }
        let bytes = files[known...].lazy.map(\.bytes).total
        // A missing file has been named. With all there, a size shows what was cut off or written to before any content is read.
        guard files.count - known == lines.count, lines.count != dump.files || bytes != dump.bytes else { return }
        add(
            .changed, dump.directory,
            "\(lines.count) files of \(bytes) bytes, and not \(dump.files) files of \(dump.bytes) bytes")
    }

    /// The lines of a dump's list, or nil, with a problem, if it is not the one that was sealed.
    private mutating func read(_ list: FilePath, _ dump: Manifest.DumpRecord) -> [ChecksumList.Line]? {
        do throws(StagingError) {
            let path = root.pushing(list)
            let bytes = try SmallFile(path).read(longest: longestList(of: dump)) ?? []
            let digest = try attempting(to: "hash", path) { try sha256(of: bytes) }
            guard digest == dump.checksums.sha256 else {
                add(.changed, list, "changed, its SHA-256 is \(digest) and not \(dump.checksums.sha256)")
                return nil
            }
            let lines = try attempting(to: "read", path) { try ChecksumList(parsing: bytes) }.lines
            guard lines.allSatisfy({ $0.path.isLexicallyNormal && $0.path.starts(with: dump.directory) }) else {
                add(.changed, list, "lists files that are not the dump's")
                return nil
            }
            return lines
        } catch {
            add(.unreadable, list, error.message)
            return nil
        }
    }

    /// A line has a digest and a path, each of whose bytes may be escaped.
    private func longestList(of dump: Manifest.DumpRecord) -> Int {
        Int(min(Int64(dump.files), 1 << 40) * (16 << 10) + (1 << 20))
    }

    /// The status of a regular file, which is then no longer unseen.
    @discardableResult
    private func take(_ path: FilePath, from unseen: inout [FilePath: FileStatus]) -> FileStatus? {
        guard unseen[path]?.kind == .file else { return nil }
        return unseen.removeValue(forKey: path)
    }

    /// Directories are not listed: those of the layout, and any below a dump.
    private func isExpectedDirectory(_ path: FilePath, _ status: FileStatus) -> Bool {
        guard status.kind == .directory, !isInTree(path), let first = path.components.first else { return false }
        if path.components.count == 1 && first == SetLayout.checksums { return true }
        return manifest.dumps.contains { $0.path == first.string }
    }

    /// Whether a path lies in a tree, all of whose directories are listed.
    private func isInTree(_ path: FilePath) -> Bool {
        manifest.dumps.contains { dump in
            tree(of: dump) != nil && dump.treePath.map(path.starts) ?? false
        } && (part?.covers(path) ?? true)
    }

    /// The tree of a dump, if it should be there.
    private func tree(of dump: Manifest.DumpRecord) -> TreeContents? {
        guard let tree = dump.tree, let place = dump.treePath else { return nil }
        guard tree.reference != nil else { return tree }
        return switch referencedTrees {
        case .elsewhere: nil
        case .extracted: tree
        case .either: (try? FileSystem.status(of: root.pushing(place))) == nil ? nil : tree
        }
    }

    mutating func add(_ kind: SetProblem.Kind, _ path: FilePath, _ details: String) {
        problems.append(SetProblem(kind: kind, path: path, details: details))
    }
}
