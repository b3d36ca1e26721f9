import DumpCore
import Linux
import SystemPackage
import Trees

/// Compares what is at a place with what the inventory lists of it. It compares kinds, modes, owners, times, attributes and links, and the
/// bytes of files that were copied on the way.
struct TreeComparison: Sendable {
    /// Relative to the tree; empty for all of it.
    let item: FilePath
    let tree: TreeContents
    /// The dump's, with the inventory in it.
    let directory: FilePath

    /// More are counted, and not named.
    private static let mostNamed = 1000

    /// - Parameters:
    ///   - name: of the item, in `room`.
    ///   - digests: of the files that were copied; nil if they were moved, and are those that were verified.
    func perform(
        of name: FilePath, in room: OpenDirectory, copied digests: TreeDigests?, until stop: StopSign
    ) throws(DumpError) -> RestoreComparison {
        do {
            var pass = try Pass(self, name, room, digests)
            try pass.compareAll(until: stop)
            return pass.result
        } catch let error as DumpError {
            throw error
        } catch {
            throw DumpError(
                .system, "cannot compare \(room.path.pushing(name)) with its inventory: \(error)", underlying: error)
        }
    }

    /// The inventory and the place, entry by entry beside each other.
    private struct Pass {
        private let comparison: TreeComparison
        private let (name, room): (FilePath, OpenDirectory)
        private let inventory: InventoryFile
        private var expected: TreeEntry?
        private var digests: TreeDigests.Reader?
        private(set) var result = RestoreComparison()
        private let withOwner = UserAccount.currentIsRoot

        init(_ comparison: TreeComparison, _ name: FilePath, _ room: OpenDirectory, _ digests: TreeDigests?) throws {
            (self.comparison, self.name, self.room) = (comparison, name, room)
            let path = comparison.directory.pushing(FilePath(comparison.tree.inventory))
            guard let inventory = try InventoryFile(at: path, sha256: comparison.tree.inventorySHA256) else {
                throw DumpError(
                    .incompleteDump, "\(path) is not the inventory that the manifest vouches for",
                    hint: "Fetch the dump again, or take another archive.")
            }
            self.inventory = inventory
            self.digests = digests?.sorted()
            for fact in ["entries", "files", "links", "bytes"] { result.compared[fact] = 0 }
        }

        mutating func compareAll(until stop: StopSign) throws {
            try advance()
            let root = try room.status(of: name)
            try take(FilePath(), root)
            if root.kind == .directory {
                var walk = try FileTreeWalk(room.unmistakablePath.pushing(name))
                while let entry = try walk.next() {
                    try stop.check(DumpError.self)
                    SignOfLife.give()
                    try take(entry.path, entry.status)
                }
            }
            try passExpected(before: nil)
        }

        /// What the walk comes upon; its path relative to the item.
        private mutating func take(_ path: FilePath, _ status: FileStatus) throws {
            try passExpected(before: path)
            guard let entry = expected, relative(entry.path) == path else {
                return differ("entries", path, "nothing", status.kind.words)
            }
            try advance()
            try compare(entry, path, status)
        }

        private mutating func compare(_ entry: TreeEntry, _ path: FilePath, _ status: FileStatus) throws {
            count(entry)
            let found = try TreeEntry(reading: name.pushing(path), of: room)
            for difference in found.differences(from: entry, withOwner: withOwner) {
                differ("entries", path, "as its inventory has it", difference)
            }
            if let digest = try digests?.digest(of: path), let sealed = entry.sha256, digest != sealed {
                differ("files", path, "SHA-256 \(sealed)", "\(digest)")
            }
            guard let first = entry.firstName, first.starts(with: comparison.item) else { return }
            if try room.status(of: name.pushing(relative(first))).inode != status.inode {
                differ("links", path, "another name of \(relative(first))", "a file of its own")
            }
        }

        private mutating func count(_ entry: TreeEntry) {
            result.compared["entries", default: 0] += 1
            if entry.kind == .file { result.compared["files", default: 0] += 1 }
            if entry.kind == .symbolicLink || entry.firstName != nil { result.compared["links", default: 0] += 1 }
            result.compared["bytes", default: 0] = (result.compared["bytes"] ?? 0).plus(entry.bytes)
        }

        /// - Parameter path: nil for all that are left.
        private mutating func passExpected(before path: FilePath?) throws {
            while let entry = expected {
                let place = relative(entry.path)
                if let path, !TreeEntry.precedes(place, path) { return }
                count(entry)
                differ("entries", place, entry.kind.words, "nothing")
                try advance()
            }
        }

        private mutating func advance() throws {
            repeat {
                expected = try inventory.next()
            } while expected.map { !$0.path.starts(with: comparison.item) } ?? false
        }

        private func relative(_ path: FilePath) -> FilePath {
            var rest = path
            _ = rest.removePrefix(comparison.item)
            return rest
        }

        private mutating func differ(_ fact: String, _ path: FilePath, _ expected: String, _ found: String) {
            guard result.differences.count < TreeComparison.mostNamed else { return }
            result.differences.append(
                RestoreComparison.Difference(
                    fact: fact, object: comparison.item.pushing(path).string, expected: expected, found: found))
        }
    }
}
