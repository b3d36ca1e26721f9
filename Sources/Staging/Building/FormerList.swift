import Checksums
import DumpCore
import Linux
import SystemPackage
import Trees

/// What the current set's list says of a dump's files, read beside a walk of the new ones.
///
/// A damaged old set must not keep a good new one from replacing it. A list that cannot be read is a hindrance to its reuse, not an error.
struct FormerList {
    private var list: ChecksumListFile?
    private var line: ChecksumList.Line?
    /// Why not all of it can be used.
    private(set) var hindrance: String?
    /// The list itself, relative to the set, if it is not what was sealed. Its lines may be used all the same: no file is linked for a digest
    /// that it does not have.
    private(set) var damaged: FilePath?

    /// - Parameter sealed: the digest of the list, if it is known.
    init(ofDump name: String, sealed: String? = nil, in area: StagingArea) {
        let path = SetLayout.checksums(ofDump: name)
        do {
            // Through a link there might be anybody's files.
            guard try area.status(of: area.current)?.kind == .directory else { return }
            if let sealed, (try? FileScan(area.current.pushing(path)).digest().sha256) != sealed { damaged = path }
            list = try ChecksumListFile(area.current.pushing(path))
        } catch let error as any OperatorError {
            hindrance = error.message
        } catch {
            hindrance = "\(error)"
        }
        advance()
    }

    /// The digest that is listed for a path, relative to the set. To be asked in the order of a walk.
    mutating func sha256(of path: FilePath) -> String? {
        while let line, TreeEntry.precedes(line.path, path) { advance() }
        return line?.path == path ? line?.sha256 : nil
    }

    /// The line that comes next, or nil at the end.
    mutating func next() -> ChecksumList.Line? {
        defer { advance() }
        return line
    }

    private mutating func advance() {
        do throws(ChecksumError) {
            line = try list?.next()
        } catch {
            (line, list, hindrance) = (nil, nil, error.message)
        }
    }
}
