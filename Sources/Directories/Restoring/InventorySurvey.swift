import DumpCore
import Glibc
import Linux
import SystemPackage
import Trees

/// What the inventory of a dump tells of the items that are to be restored, before any of them is fetched.
struct InventorySurvey: Sendable {
    private(set) var findings: [Finding] = []
    /// By item; nil of an inventory that is too large to be looked at.
    private var bytesOfItems: [FilePath: Int64]?
    private let tree: TreeContents

    /// Some million entries.
    static let longest: Int64 = 512 << 20

    init(of tree: TreeContents, _ items: [FilePath], reading files: any DumpFiles) async throws(DumpError) {
        self.tree = tree
        guard Self.isLookedAt(tree) else {
            findings = [
                Finding(
                    .note, "inventory_large", object: tree.inventory,
                    "the inventory of \(tree.entries) entries was not looked at: owners and space are found out when it is restored"
                )
            ]
            return
        }
        let bytes = try await files.contents(of: FilePath(tree.inventory), limit: Self.longest)
        do {
            try look(at: bytes, items)
        } catch let error as DumpError {
            throw error
        } catch {
            throw DumpError(
                .incompleteDump, "the inventory of the tree cannot be understood: \(error)",
                hint: "A newer Muster may have written it: use that one.", underlying: error)
        }
    }

    /// An entry has some 150 bytes.
    static func isLookedAt(_ tree: TreeContents) -> Bool { tree.entries < Int(longest / 256) }

    /// About what an item takes on disk. Holes are known of the whole tree alone.
    func bytes(of item: FilePath) -> Int64 {
        if item.isEmpty { return tree.diskBytes ?? tree.bytes }
        return bytesOfItems?[item] ?? 0
    }

    private mutating func look(at bytes: [UInt8], _ items: [FilePath]) throws {
        let file = try FileDescriptor.memoryFile(holding: bytes)
        // Nothing depends on the close of what was only read.
        defer { try? file.close() }
        var reader = InventoryReader(file)
        var (sizes, owners) = ([FilePath: Int64](), TreeOwners())
        while let entry = try reader.next() {
            guard let item = items.first(where: { entry.path.starts(with: $0) }) else { continue }
            sizes[item] = (sizes[item] ?? 0).plus(entry.firstName == nil ? entry.bytes : 0)
            owners.add(entry)
        }
        for item in items where sizes[item] == nil {
            findings.append(
                Finding(
                    .failure, "not_in_dump", object: item.string, "the dump holds no \(item)",
                    hint: "Name what is below the dump's tree, such as letters/first."))
        }
        findings += owners.findings
        bytesOfItems = sizes
    }
}

/// Whose the entries of a tree are, by number.
private struct TreeOwners {
    private var users: Set<UInt32> = []
    private var groups: Set<UInt32> = []
    private var foreign: (count: Int, first: TreeEntry?) = (0, nil)
    private let rights = CopyRights.ofProcess()

    mutating func add(_ entry: TreeEntry) {
        users.insert(entry.uid)
        groups.insert(entry.gid)
        guard !rights.mayGive(toUser: entry.uid, group: entry.gid) else { return }
        foreign = (foreign.count + 1, foreign.first ?? entry)
    }

    var findings: [Finding] {
        var findings: [Finding] = []
        if let first = foreign.first {
            findings.append(
                Finding(
                    .failure, DumpError.Code.cannotPreserve.rawValue, object: first.path.string,
                    "this user cannot give \(foreign.count) files and directories to their owners, \(first.path) to \(first.uid):\(first.gid)",
                    hint: "Run Muster as root: only root may give files to other users."))
        }
        let unknown =
            users.filter { UserAccount(id: $0) == nil }.sorted().map { "user \($0)" }
            + groups.filter { UserGroup(id: $0) == nil }.sorted().map { "group \($0)" }
        guard !unknown.isEmpty else { return findings }
        let named = unknown.prefix(10).joined(separator: ", ") + (unknown.count > 10 ? ", …" : "")
        findings.append(
            Finding(
                .note, "unknown_owner", object: named, "this host has no name for some owners: \(named)",
                hint:
                    "Files keep the numbers of their owners. Create these users and groups with the same numbers if they matter."
            ))
        return findings
    }
}
