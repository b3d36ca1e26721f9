import Checksums
import DumpCore
import Linux
import SystemPackage
import Trees

/// What a dump's list and inventory say that there is, compared with what a walk comes upon, one entry after the other.
struct DumpInspection {
    private let dump: Manifest.DumpRecord
    /// The parts of this dump; nil for all of it.
    private let parts: [SetPart]?
    private var lines: ListedLines?
    private var tree: TreeInspection?
    /// Files of tables that were put together beside their rows, with their digests. No list has them, and they need not be there.
    private let putTogether: [FilePath: RowFiles]
    private(set) var problems: [SetProblem] = []
    /// How many lines of the list were read: all, those of the part, and those whose files are there with a possible size.
    private var listed = 0
    private var wanted = 0
    private var there = 0
    private var bytes: Int64 = 0

    init(
        of dump: Manifest.DumpRecord, in root: OpenDirectory, parts: [SetPart]?, hasTree: Bool
    ) {
        (self.dump, self.parts) = (dump, parts)
        putTogether = Dictionary(
            dump.databases.rowFiles.map { (dump.directory.pushing($0.file), $0.table) }
        ) { first, _ in first }
        let list = FilePath(dump.checksums.path)
        if (try? root.status(of: list).kind) == .file {
            do throws(SetProblem) { lines = try ListedLines(of: dump, in: root.path) } catch { problems.append(error) }
        } else {
            problems.add(.missing, list, "missing")
        }
        if hasTree { tree = TreeInspection(of: dump, in: root, parts: parts) }
    }

    /// Takes what the walk comes upon next. Returns the file if it is listed, and looks as if it could be what is listed.
    mutating func take(_ entry: FileTree.Entry) -> ListedFile? {
        passLines(before: entry.path)
        let isInTree = tree?.holds(entry.path) ?? false
        let isInInventory = tree?.take(entry) ?? false
        guard entry.status.kind == .file, let line = lines?.first, line.path == entry.path, covers(line) else {
            if entry.status.kind == .file, let table = putTogether[entry.path] { return file(of: table, entry) }
            if !isInInventory, entry.status.kind != .directory || isInTree {
                problems.append(.unexpected(entry, inTree: isInTree))
            }
            return nil
        }
        advance()
        return file(line, entry.status)
    }

    /// What has not come is missing. To be called once, when all of the dump has come.
    mutating func finish() {
        passLines(before: nil)
        tree?.finish()
        problems += tree?.problems ?? []
        // Sizes are known of whole dumps only. A missing file has been named; with all there, a size shows what was cut off or written to
        // before any content is read.
        guard lines != nil, wanted == listed, there == wanted, wanted != dump.files || bytes != dump.bytes else {
            return
        }
        problems.add(
            .changed, dump.directory,
            "\(wanted) files of \(bytes) bytes, and not \(dump.files) files of \(dump.bytes) bytes")
    }

    private mutating func file(of table: RowFiles, _ entry: FileTree.Entry) -> ListedFile? {
        guard entry.status.bytes == table.bytes else {
            problems.add(
                .changed, entry.path, "changed, it has \(entry.status.bytes) bytes and not \(table.bytes)")
            return nil
        }
        return ListedFile(path: entry.path, sha256: table.sha256, bytes: entry.status.bytes)
    }

    private mutating func file(_ line: ChecksumList.Line, _ status: FileStatus) -> ListedFile? {
        // To hash a sparse file of terabytes, which another user may have put there, would take hours.
        guard status.bytes <= dump.bytes.plus(1 << 30) else {
            problems.add(
                .changed, line.path, "changed, it has \(status.bytes) bytes, and all of the dump has \(dump.bytes)")
            return nil
        }
        there += 1
        bytes = bytes.plus(status.bytes)
        return ListedFile(path: line.path, sha256: line.sha256, bytes: status.bytes)
    }

    /// - Parameter path: nil for all that are left.
    private mutating func passLines(before path: FilePath?) {
        while let line = lines?.first {
            if let path, !TreeEntry.precedes(line.path, path) { return }
            advance()
            if covers(line) { problems.add(.missing, line.path, "missing") }
        }
    }

    private mutating func advance() {
        listed += 1
        if let line = lines?.first, covers(line) { wanted += 1 }
        do throws(ChecksumError) {
            try lines?.advance()
        } catch {
            problems.add(.unreadable, FilePath(dump.checksums.path), error.message)
            lines = nil
        }
    }

    private func covers(_ line: ChecksumList.Line) -> Bool { parts?.cover(line.path) ?? true }
}

extension [SetProblem] {
    mutating func add(_ kind: SetProblem.Kind, _ path: FilePath, _ details: String) {
        append(SetProblem(kind: kind, path: path, details: details))
    }
}

extension SetProblem {
    /// - Parameter isInTree: whether it is where anything may be that an inventory lists.
    static func unexpected(_ entry: FileTree.Entry, inTree isInTree: Bool = false) -> SetProblem {
        let isSpecial = entry.status.kind != .file && entry.status.kind != .directory && !isInTree
        return SetProblem(
            kind: isSpecial ? .notAFile : .extra, path: entry.path,
            details: isSpecial ? "neither a regular file nor a directory" : "not in the manifest")
    }
}
