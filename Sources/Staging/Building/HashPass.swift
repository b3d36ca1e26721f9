import Checksums
import DumpCore
import Linux
import Synchronization
import SystemPackage

/// All files of a set on their way into its lists, some thousands at a time. It says which have to be hashed, and takes what came of it.
///
/// Memory does not grow with their number.
final class HashPass: Sendable {
    /// What is known when all files are hashed.
    struct Result: Sendable {
        /// In the order of `Sealing.dumps`.
        var lists: [ListInWriting.WrittenList]
        /// What the current set has of each dump that is not what was sealed.
        var damaged: [DamagedFiles]
        var reuse: Reuse
    }

    private struct State {
        /// Dumps that were not begun, in the order of their directories.
        var waiting: ArraySlice<Int>
        var walk: Sealing.DumpWalk?
        /// The dump whose files are being listed.
        var list: (dump: Int, file: ListInWriting)?
        var lists: [Int: ListInWriting.WrittenList] = [:]
        var damaged: [Int: DamagedFiles] = [:]
        var reuse = Reuse(files: 0, bytes: 0)
    }

    /// The digest of each file by its path in the set.
    let sealed: DigestSpool
    private let sealing: Sealing
    private let state: Mutex<State>

    /// A few megabytes, and enough to keep all workers busy.
    private static let batch = 4096

    init(of sealing: Sealing) throws(StagingError) {
        self.sealing = sealing
        sealed = DigestSpool(in: sealing.incoming.lock.area.incoming)
        // So that all come in the order of a walk of the set.
        let order = sealing.dumps.indices.map { ($0, SetLayout.directory(ofDump: sealing.dumps[$0].name).string) }
            .sorted { $0.1.utf8.lexicographicallyPrecedes($1.1.utf8) }
        state = Mutex(State(waiting: order.map(\.0)[...]))
        let directory = sealing.incoming.root.appending(SetLayout.checksums)
        try attempting(to: "create", directory) { try FileSystem.createDirectory(directory) }
    }

    /// The files that come next; none when all have come.
    func nextBatch() throws(StagingError) -> [Sealing.File] {
        try state.withLock { state throws(StagingError) in
            var files: [Sealing.File] = []
            while files.count < Self.batch, let file = try nextFile(&state) { files.append(file) }
            return files
        }
    }

    private func nextFile(_ state: inout State) throws(StagingError) -> Sealing.File? {
        while true {
            if let file = try state.walk?.next() { return file }
            state.reuse.hindrance = state.reuse.hindrance ?? state.walk?.hindrance
            if let walk = state.walk, let list = walk.damagedList {
                state.damaged[walk.number, default: DamagedFiles()].add(list)
            }
            guard let next = state.waiting.popFirst() else {
                state.walk = nil
                return nil
            }
            state.walk = try Sealing.DumpWalk(next, of: sealing)
        }
    }

    /// Lists a batch.
    func list(_ files: [Sealing.File], _ hashes: [Sealing.Hash]) throws(StagingError) {
        try state.withLock { state throws(StagingError) in
            for (file, hash) in zip(files, hashes) {
                try list(of: file.dump, &state).add(file.path, hash.digest.sha256, hash.digest.bytes)
                try attempting(to: "note the digest of", file.path, needed: 128) {
                    try sealed.add(file.path, hash.digest)
                }
                if hash.isFormerDamaged { state.damaged[file.dump, default: DamagedFiles()].add(file.formerPath) }
                guard hash.isReused else { continue }
                state.reuse.files += 1
                state.reuse.bytes += hash.digest.bytes
            }
        }
    }

    private func list(of dump: Int, _ state: inout State) throws(StagingError) -> ListInWriting {
        if let list = state.list, list.dump == dump { return list.file }
        try finishList(&state)
        let list = try ListInWriting(ofDump: sealing.dumps[dump].name, in: sealing.incoming.root)
        // By their paths: the tree is before its inventory.
        try SealedTree(of: sealing.dumps[dump], in: sealing.incoming.root)?.forEachFile {
            (path, sha256, bytes) throws(StagingError) in
            try list.add(path, sha256.description, bytes)
        }
        state.list = (dump, list)
        return list
    }

    private func finishList(_ state: inout State) throws(StagingError) {
        guard let list = state.list else { return }
        state.lists[list.dump] = try list.file.finish()
        state.list = nil
    }

    /// To be called once, when all batches are listed.
    func finish() throws(StagingError) -> Result {
        try state.withLock { state throws(StagingError) in
            try finishList(&state)
            // Each dump has a file, see `DumpWalk.next`.
            return Result(
                lists: sealing.dumps.indices.map { state.lists[$0]! },
                damaged: sealing.dumps.indices.map { state.damaged[$0] ?? DamagedFiles() }, reuse: state.reuse)
        }
    }
}
