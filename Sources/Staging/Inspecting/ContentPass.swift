import DumpCore
import Linux
import Synchronization
import SystemPackage

/// All listed files of a set on their way to being hashed, some thousands at a time.
final class ContentPass: Sendable {
    private struct State {
        var walk: SetWalk
        /// The reader of `sealed`, as far as it has got.
        var known: SealedFiles.Reader?
        var writer: SealedFiles.Writer?
        var digests: DigestReader?
        var files = 0
        var bytes: Int64 = 0
    }

    private let state: Mutex<State>
    private let root: OpenDirectory

    /// A few megabytes, and enough to keep all workers busy.
    private static let batch = 4096

    /// - Parameters:
    ///   - sealed: how all files looked when they were known to be what was sealed; those that look so now are passed over. Nil for all.
    ///   - writer: takes down how each file looks before it is read.
    ///   - digests: of files whose bytes came by already. They are compared and not read.
    init(
        _ walk: sending SetWalk, butFor sealed: SealedFiles? = nil, noting writer: SealedFiles.Writer? = nil,
        knowing digests: DigestSpool? = nil
    ) {
        root = walk.root
        state = Mutex(State(walk: walk, known: sealed?.states(), writer: writer, digests: digests?.sorted()))
    }

    /// Hashes all of it, and returns what is wrong.
    func perform(progress: @escaping @Sendable (Int64) -> Void = { _ in }) async throws(StagingError) -> Result {
        var changed: [SetProblem] = []
        let root = root
        while case let batch = try await onOwnThread({ () throws(StagingError) in try self.nextBatch() }),
            !batch.isEmpty
        {
            changed += try await FileWorkers.forEach(batch) { (file, stop) throws(StagingError) in
                try file.compare(in: root, until: stop, progress: progress)
            }.compactMap(\.self)
        }
        return state.withLock { state in
            Result(
                files: state.files, bytes: state.bytes, problems: (state.walk.problems + changed).sorted(),
                writer: state.writer)
        }
    }

    struct Result {
        /// How many files were hashed.
        var files: Int
        var bytes: Int64
        var problems: [SetProblem]
        /// Has taken down all files, but is not finished. Nil if it could not.
        var writer: SealedFiles.Writer?
    }

    /// The files that come next; none when all have come.
    private func nextBatch() throws(StagingError) -> [ListedFile] {
        try state.withLock { state throws(StagingError) in
            var batch: [ListedFile] = []
            while batch.count < Self.batch, let file = try state.walk.next() {
                // A note that cannot be read, or written, does not count.
                let known = try? state.known?.next()
                if known == nil { state.known = nil }
                if (try? state.writer?.add(file.state)) == nil { state.writer = nil }
                guard var listed = file.listed, known != file.state else { continue }
                listed.found = digest(of: listed, file.state, &state)
                batch.append(listed)
                state.files += 1
                state.bytes = state.bytes.plus(listed.bytes)
            }
            return batch
        }
    }

    /// Nil for a file that has to be read: because its bytes did not come by, or because they were not noted.
    private func digest(of file: ListedFile, _ status: FileState, _ state: inout State) -> String? {
        do {
            return try state.digests?.digest(of: file.path, status)
        } catch {
            state.digests = nil
            return nil
        }
    }
}
