import Checksums
import DumpCore
import Glibc
import Linux
import SystemPackage

/// Stores a table that was dumped to a file. Where that is less, it stores what has changed since the last set, and proves that this gives
/// the same rows.
public struct RowStorage: Sendable {
    let policy: RowPolicy
    let now: Timestamp
    var memory = RowMemory()

    /// - Parameter now: what the files are called after.
    public init(_ policy: RowPolicy, at now: Timestamp) { (self.policy, self.now) = (policy, now) }

    /// Stores a table. Its file is gone then: it is the base, or is no longer needed.
    ///
    /// What was sealed and is not what it was, or cannot be read, is never built upon: the table is stored whole. Throws `.system` and
    /// `.cancelled`, and then the directory is of no use.
    ///
    /// - Parameters:
    ///   - file: of mode 0600 and ours.
    ///   - digest: of the file.
    ///   - former: the table in the last set, on the same file system.
    ///   - directory: to be made, for this table alone.
    ///   - room: where rows may spill to files without names.
    public func store(
        _ file: FilePath, _ digest: FileDigest, former: FormerRows?, into directory: FilePath,
        spillingTo room: FilePath, until stop: StopSign
    ) throws(RowDeltaError) -> StoredRows {
        try make(directory)
        let table = RowTable(
            storage: self, file: file, digest: digest, directory: directory, room: room, stop: stop)
        guard let former else { return try table.base("it is the first") }
        do throws(RowDeltaError) {
            return try table.change(since: former)
        } catch {
            guard error.leavesBase else { throw error }
            try attempting(.system, to: "remove", directory) { try FileTree(directory).remove() }
            try make(directory)
            var base = try table.base(error.message)
            if error.mayComeOfDamage { base.damaged = try table.damaged(of: former) }
            return base
        }
    }

    private func make(_ directory: FilePath) throws(RowDeltaError) {
        try attempting(.system, to: "create", directory) { try FileSystem.createDirectory(directory) }
    }
}

extension RowDeltaError {
    /// Whether the table can be stored whole, which takes no room and reads nothing.
    fileprivate var leavesBase: Bool {
        switch code {
        case .malformedRows, .notWorthIt, .longRow, .scatteredRows, .cannotRead: true
        case .system: underlying as? Errno == .noSpace || underlying as? Errno == .diskQuotaExceeded
        case .cancelled: false
        }
    }

    /// Whether the files of the last set may be at fault.
    fileprivate var mayComeOfDamage: Bool { [.malformedRows, .longRow, .cannotRead].contains(code) }
}

/// One table on its way into a set.
struct RowTable {
    let storage: RowStorage
    let file: FilePath
    let digest: FileDigest
    let directory: FilePath
    let room: FilePath
    let stop: StopSign

    /// Stores the table whole, by a rename.
    func base(_ why: String) throws(RowDeltaError) -> StoredRows {
        let chain = RowChain(in: directory, base: RowName.text(of: storage.now))
        let path = chain.rowFiles[0]
        try attempting(.system, to: "create", path) { try FileSystem.rename(file, to: path) }
        StopPoint.passing("rows.base")
        return StoredRows(
            outcome: .base(why), files: [(path.lastComponent!, digest)], dumpedSHA256: digest.sha256,
            sha256: digest.sha256, bytes: digest.bytes)
    }

    /// Stores what has changed. Throws what keeps it from being done, or makes it not worth it.
    func change(since former: FormerRows) throws(RowDeltaError) -> StoredRows {
        var chain = try RowChain(in: former.directory)
        // A base that is the table itself holds nothing that is gone.
        if chain.names.count > 1 || former.dumpedSHA256 != digest.sha256 { try requireYoung(chain) }
        chain = try linked(chain)
        StopPoint.passing("rows.linked")
        if former.dumpedSHA256 == digest.sha256 { return try unchanged(chain, former) }
        let key = RowKey()
        var matching = RowMatching(
            of: try chain.stream(hashing: true, within: storage.memory, until: stop),
            with: try RowStream([file], within: storage.memory, until: stop), proving: key, spillingTo: room,
            within: storage.memory)
        let difference = try matching.perform()
        var digests = try sealed(chain, difference.digests, as: former)
        StopPoint.passing("rows.matched")
        var outcome = StoredRows.Outcome.unchanged
        if !difference.isEmpty {
            // Before rows whose change is not worth it are counted as others.
            let (added, removed, changed) = (difference.added.count, difference.removed.count, difference.changed.count)
            let isFolded = try write(difference, to: &chain)
            outcome = .change(added: added, removed: removed, changed: changed, isFolded: isFolded)
        }
        try add(chain, to: &digests)
        StopPoint.passing("rows.written")
        let assembly = try proven(chain, difference.sums, key)
        StopPoint.passing("rows.proven")
        try removeFile()
        return StoredRows(
            outcome: outcome, files: files(chain, digests), dumpedSHA256: digest.sha256, sha256: assembly.sha256,
            bytes: assembly.bytes)
    }

    /// The same file as the last time: nothing is to be compared but the files that it is stored in.
    private func unchanged(_ chain: RowChain, _ former: FormerRows) throws(RowDeltaError) -> StoredRows {
        var digests: [FilePath: FileDigest] = [:]
        for path in chain.files { digests[path] = try Self.digest(of: path, until: stop) }
        try require(digests, as: former)
        try removeFile()
        return StoredRows(
            outcome: .unchanged, files: files(chain, digests), dumpedSHA256: digest.sha256, sha256: former.sha256,
            bytes: digest.bytes)
    }

    private func removeFile() throws(RowDeltaError) {
        try attempting(.system, to: "remove", file) { try FileSystem.removeFile(file) }
    }

    private func files(
        _ chain: RowChain, _ digests: [FilePath: FileDigest]
    ) -> [(name: FilePath.Component, digest: FileDigest)] {
        chain.files.compactMap { path in
            guard let name = path.lastComponent, let digest = digests[path] else { return nil }
            return (name, digest)
        }
    }
}

// MARK: What was there

extension RowTable {
    private func requireYoung(_ chain: RowChain) throws(RowDeltaError) {
        guard let name = chain.names.first, let base = RowName.time(of: name), let last = chain.names.last,
            RowName.time(of: last) != nil
        else { throw .malformed(chain.directory, "has files of another name") }
        guard storage.policy.isDue(base, of: directory.lastComponent?.string ?? "", at: storage.now) else { return }
        throw .notWorthIt("\(chain.directory) has a base of \(base)")
    }

    /// Gives the files of the last set another name in our directory. They are checked there: what its owner does with the old names is the
    /// same to us.
    private func linked(_ chain: RowChain) throws(RowDeltaError) -> RowChain {
        for path in chain.files {
            guard let name = path.lastComponent else { continue }
            let link = directory.appending(name)
            try attempting(.cannotRead, to: "link", path) { try FileSystem.link(path, as: link) }
            let status = try attempting(.cannotRead, to: "look at", link) { try FileSystem.status(of: link) }
            // A link has the owner and the mode of the old name.
            guard status.kind == .file, status.mode == 0o600, status.uid == geteuid() else {
                throw .malformed(path, "is not a private file")
            }
        }
        return try RowChain(in: directory)
    }

    private func sealed(
        _ chain: RowChain, _ found: [FileDigest], as former: FormerRows
    ) throws(RowDeltaError) -> [FilePath: FileDigest] {
        var digests: [FilePath: FileDigest] = [:]
        for (path, digest) in zip(chain.rowFiles, found) { digests[path] = digest }
        for path in chain.lineFiles { digests[path] = try Self.digest(of: path, until: stop) }
        try require(digests, as: former)
        return digests
    }

    private func require(_ digests: [FilePath: FileDigest], as former: FormerRows) throws(RowDeltaError) {
        guard digests.count == former.sealed.count else { throw .malformed(former.directory, "is not what was sealed") }
        for (path, digest) in digests {
            guard former.sealed[path.lastComponent?.string ?? ""] == digest.sha256 else {
                throw .malformed(former.directory.appending(path.lastComponent!), "is not what was sealed")
            }
        }
    }

    /// Which of the files of the last set are not what was sealed.
    func damaged(of former: FormerRows) throws(RowDeltaError) -> [FilePath.Component] {
        var damaged: [FilePath.Component] = []
        for (name, sha256) in former.sealed.sorted(by: { $0.key < $1.key }) {
            guard let name = FilePath.Component(name) else { continue }
            do throws(RowDeltaError) {
                let digest = try Self.digest(of: former.directory.appending(name), until: stop)
                if digest.sha256 != sha256 { damaged.append(name) }
            } catch {
                guard error.code != .cancelled else { throw error }
                damaged.append(name)
            }
        }
        return damaged
    }

    static func digest(of path: FilePath, until stop: StopSign) throws(RowDeltaError) -> FileDigest {
        try attempting(.cannotRead, to: "read", path) {
            try FileScan(path).digest { _ in try stop.check(RowDeltaError.self) }
        }
    }
}

// MARK: What has changed

extension RowTable {
    /// Writes a change and, where there are too many, folds some. Returns whether it did.
    private func write(_ difference: RowDifference, to chain: inout RowChain) throws(RowDeltaError) -> Bool {
        let former = chain
        try append(to: &chain) { rows, lines throws(RowDeltaError) in
            try difference.writeLines(to: lines, of: former, in: file, within: storage.memory, until: stop)
            StopPoint.passing("rows.lines")
            guard
                try difference.writeAdded(to: rows, from: file, atMost: digest.bytes / 2, until: stop)
            else { throw .notWorthIt("its new rows take more than half of its bytes") }
        }
        if chain.names.count - 1 > storage.policy.mostChanges {
            try fold(storage.policy.folded(try sizes(chain)), of: &chain)
            return true
        }
        guard try bytes(chain) > 2 * digest.bytes else { return false }
        try fold(chain.names.count - 1, of: &chain)
        guard try bytes(chain) <= digest.bytes + digest.bytes / 2 else {
            throw .notWorthIt("\(chain.directory) has more rows that are gone than rows that are there")
        }
        return true
    }

    private func append(
        to chain: inout RowChain, _ write: (_ rows: FilePath, _ lines: FilePath) throws(RowDeltaError) -> Void
    ) throws(RowDeltaError) {
        let name = nextName(chain)
        try write(chain.rows(of: name), chain.lines(of: name))
        chain.append(name)
    }

    private func nextName(_ chain: RowChain) -> String {
        let last = chain.names.last.flatMap { RowName.time(of: $0) } ?? storage.now
        return RowName.next(after: last, at: storage.now)
    }

    private func fold(_ count: Int, of chain: inout RowChain) throws(RowDeltaError) {
        guard count > 1 else { return }
        let name = nextName(chain)
        try RowFolding(chain: chain, count: count, memory: storage.memory, stop: stop).write(as: name)
        StopPoint.passing("rows.folded")
        for old in chain.names.suffix(count) {
            for path in [chain.rows(of: old), chain.lines(of: old)] {
                try attempting(.system, to: "remove", path) { try FileSystem.removeFile(path) }
            }
        }
        chain.replaceLast(count, by: name)
    }

    /// The size of each change.
    private func sizes(_ chain: RowChain) throws(RowDeltaError) -> [Int64] {
        var sizes: [Int64] = []
        for name in chain.names.dropFirst() {
            sizes.append(try bytes([chain.rows(of: name), chain.lines(of: name)]))
        }
        return sizes
    }

    private func bytes(_ chain: RowChain) throws(RowDeltaError) -> Int64 { try bytes(chain.files) }

    private func bytes(_ files: [FilePath]) throws(RowDeltaError) -> Int64 {
        var sum: Int64 = 0
        for path in files {
            sum += try attempting(.system, to: "look at", path) { try FileSystem.status(of: path).bytes }
        }
        return sum
    }

    /// Adds the digests of new files.
    private func add(_ chain: RowChain, to digests: inout [FilePath: FileDigest]) throws(RowDeltaError) {
        for path in chain.files where digests[path] == nil { digests[path] = try Self.digest(of: path, until: stop) }
    }

    /// What the files put together are. Throws unless they are the rows that were dumped.
    private func proven(_ chain: RowChain, _ sums: RowSums, _ key: RowKey) throws(RowDeltaError) -> RowAssembly {
        // As it is on disk, and not as we think that we have written it.
        let found = try RowChain(in: directory)
        let assembly = try RowAssembly(of: found, proving: key, until: stop)
        guard found == chain, assembly.sums == sums, assembly.bytes == digest.bytes else {
            throw .malformed(directory, "is not the table that was dumped")
        }
        return assembly
    }
}
