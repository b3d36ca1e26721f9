import Checksums
import DumpCore
import Glibc
import Linux
import Synchronization
import SystemPackage

/// Tells work on other threads to end.
final class StopSign: Sendable {
    private let isRaised = Atomic(false)

    func raise() { isRaised.store(true, ordering: .relaxed) }

    /// To be called between two pieces of work of a moment each.
    func check() throws(StagingError) {
        if isRaised.load(ordering: .relaxed) { throw .cancelled }
    }
}

/// Two to four threads that work on files: enough for reading and hashing to overlap, few enough to keep memory and disk calm.
enum FileWorkers {
    private static let count = min(4, max(2, sysconf(Int32(_SC_NPROCESSORS_ONLN))))

    /// What `work` returns for each item, in the items' order. Items begin in that order too.
    ///
    /// The first failure, or the cancellation of our task, raises the stop sign; when this returns or throws, all work has ended.
    static func forEach<Item: Sendable, Output: Sendable>(
        _ items: [Item], _ work: @escaping @Sendable (Item, StopSign) throws(StagingError) -> Output
    ) async throws(StagingError) -> [Output] {
        let stop = StopSign()
        let queue = WorkQueue<Item, Output>(items)
        await withTaskCancellationHandler {
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<min(count, items.count) {
                    group.addTask { await onOwnThread { queue.workOff(stop, work) } }
                }
            }
        } onCancel: {
            stop.raise()
        }
        return try queue.results()
    }

    private final class WorkQueue<Item: Sendable, Output: Sendable>: Sendable {
        private let items: [Item]
        private let next = Atomic(0)
        private let state: Mutex<(outputs: [Output?], failure: StagingError?)>

        init(_ items: [Item]) {
            self.items = items
            state = Mutex(([Output?](repeating: nil, count: items.count), nil))
        }

        func workOff(_ stop: StopSign, _ work: (Item, StopSign) throws(StagingError) -> Output) {
            do throws(StagingError) {
                while case let index = next.add(1, ordering: .relaxed).oldValue, index < items.count {
                    try stop.check()
                    let output = try work(items[index], stop)
                    state.withLock { $0.outputs[index] = output }
                }
            } catch {
                stop.raise()
                fail(error)
            }
        }

        /// To be called when all have worked off the queue.
        func results() throws(StagingError) -> [Output] {
            let (outputs, failure) = state.withLock { ($0.outputs, $0.failure) }
            if let failure { throw failure }
            return outputs.compactMap(\.self)
        }

        /// One fails by itself, the others because of it.
        private func fail(_ error: StagingError) {
            state.withLock { state in
                guard state.failure == nil || state.failure?.code == .cancelled else { return }
                state.failure = error
            }
        }
    }
}

extension FileScan {
    /// The file's digest, unless the sign is raised before its end.
    ///
    /// - Parameter progress: told the length of each piece that was read.
    func digest(until stop: StopSign, progress: (Int64) -> Void = { _ in }) throws(StagingError) -> FileDigest {
        try attempting(to: "read", path) {
            try digest { chunk in
                try stop.check()
                progress(Int64(chunk.count))
            }
        }
    }
}

extension FileDigest {
    /// Whether it is still that of the file that `status` describes.
    func describes(_ status: FileStatus) -> Bool {
        status.kind == .file && status.inode == inode && status.bytes == bytes && status.modified == modified
    }
}
