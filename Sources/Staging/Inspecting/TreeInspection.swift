import DumpCore
import Linux
import SystemPackage
import Trees

/// What a tree's inventory says that there is, compared with what a walk comes upon: kinds, modes, owners, times, attributes, links. Bytes of
/// files are a matter of the dump's list.
struct TreeInspection {
    /// Relative to the set, as all paths here.
    private let place: FilePath
    private let inventoryPath: FilePath
    private let root: OpenDirectory
    /// The parts of its dump; nil for all of it.
    private let parts: [SetPart]?
    private var inventory: InventoryFile?
    private var next: TreeEntry?
    private(set) var problems: [SetProblem] = []
    /// Each file with several names, the sets before and after included, by inode: there may be any number.
    private let named = PathSpool(in: .temporaryFiles)
    private var names = 0

    /// Only root may give files to other users.
    private let withOwner = UserAccount.currentIsRoot

    /// Nil for a dump without a tree.
    init?(of dump: Manifest.DumpRecord, in root: OpenDirectory, parts: [SetPart]?) {
        guard let tree = dump.tree, let path = dump.inventoryPath, let place = dump.treePath else { return nil }
        (inventoryPath, self.place, self.root, self.parts) = (path, place, root, parts)
        open(tree)
    }

    private mutating func open(_ tree: TreeContents) {
        let path = inventoryPath
        do {
            guard try root.status(of: path).bytes <= Self.longestInventory(of: tree),
                let found = try InventoryFile(at: root.path.pushing(path), sha256: tree.inventorySHA256)
            else {
                return problems.add(.changed, path, "not the inventory that the manifest vouches for")
            }
            inventory = found
            next = try found.next()
        } catch Errno.noSuchFileOrDirectory {
            problems.add(.missing, path, "missing")
        } catch {
            problems.add(.unreadable, path, "cannot be read: \(error)")
        }
    }

    /// To hash one of a terabyte that another user made would take hours. An entry has at most a path, a target, and attributes of 64 KiB.
    private static func longestInventory(of tree: TreeContents) -> Int64 {
        min(Int64(tree.entries), 1 << 40) * (1 << 18) + (1 << 20)
    }

    /// Whether a path is in the tree, all of whose directories are listed.
    func holds(_ path: FilePath) -> Bool { path.starts(with: place) && parts?.cover(path) ?? true }

    /// Takes what the walk comes upon next, in the tree or beside it. Returns whether it is accounted for.
    mutating func take(_ entry: FileTree.Entry) -> Bool {
        // Only what this part of the tree needs was extracted with it.
        if parts != nil, entry.path == inventoryPath { return true }
        guard holds(entry.path) else { return false }
        pass(before: entry.path)
        guard let expected = next, place.pushing(expected.path) == entry.path else { return false }
        advance()
        compare(expected, entry)
        return true
    }

    /// What has not come is missing. To be called once.
    mutating func finish() {
        pass(before: nil)
        do throws(Errno) {
            var (reader, last) = (named.sorted(), FilePath())
            while let (key, value) = try reader.next() {
                if key.removingLastComponent() == last, let path = FilePath(bytes: value) {
                    problems.add(.changed, path, "is another name of a file that it should not be one of")
                }
                last = key.removingLastComponent()
            }
        } catch {
            problems.add(.unreadable, place, "its files with several names cannot be told apart: \(error)")
        }
    }

    private mutating func compare(_ expected: TreeEntry, _ entry: FileTree.Entry) {
        let path = entry.path
        do {
            let found = try TreeEntry(reading: path, of: root)
            var differences = found.differences(from: expected, withOwner: withOwner)
            if let first = expected.firstName.map(place.pushing) {
                if parts?.cover(first) ?? true, try entry.status.inode != root.status(of: first).inode {
                    differences.append("is not another name of \(first)")
                }
            } else if entry.status.kind == .file, entry.status.links > 1 {
                try note(path, entry.status.inode)
            }
            if !differences.isEmpty { problems.add(.changed, path, differences.joined(separator: ", ")) }
        } catch Errno.noSuchFileOrDirectory {
            problems.add(.missing, path, "missing")
        } catch {
            problems.add(.unreadable, path, "cannot be read: \(error)")
        }
    }

    /// In order of inode, then of coming.
    private mutating func note(_ path: FilePath, _ inode: UInt64) throws(Errno) {
        names += 1
        try named.add(FilePath("\(inode.digits(16, radix: 16))/\(names.digits(16, radix: 16))"), path.bytes)
    }

    /// - Parameter path: nil for all that are left.
    private mutating func pass(before path: FilePath?) {
        while let expected = next {
            let place = place.pushing(expected.path)
            if let path, !TreeEntry.precedes(place, path) { return }
            advance()
            // A file that is missing was found to be so by the list, if it is in the list.
            if expected.sha256 == nil, parts?.cover(place) ?? true { problems.add(.missing, place, "missing") }
        }
    }

    private mutating func advance() {
        do {
            next = try inventory?.next()
        } catch {
            problems.add(.unreadable, inventoryPath, "cannot be read: \(error)")
            next = nil
        }
    }
}
