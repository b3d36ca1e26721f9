import DumpCore
import Glibc
import Synchronization

/// Two to four threads that work on files: enough for reading and hashing to overlap, few enough to keep memory and disk calm.
public enum FileWorkers {
    private static let count = min(4, max(2, processorCount))

    /// What `work` returns for each item, in the items' order. Items begin in that order too.
    ///
    /// - Parameter most: threads, where each needs much memory.
    ///
    /// The first failure, or the cancellation of our task, raises the stop sign; when this returns or throws, all work has ended.
    public static func forEach<Item: Sendable, Output: Sendable, Kind: StoppableCode>(
        _ items: [Item], atMost most: Int = .max,
        _ work: @escaping @Sendable (Item, StopSign) throws(CodedError<Kind>) -> Output
    ) async throws(CodedError<Kind>) -> [Output] {
        let queue = WorkQueue<Item, Output, Kind>(items)
        return try await stoppable { stop throws(CodedError<Kind>) in
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<min(count, most, items.count) {
                    group.addTask { await onOwnThread { queue.workOff(stop, work) } }
                }
            }
            return try queue.results()
        }
    }

    /// Calls `work` for each item that `next` hands out, until that is nil. Items begin in their order; none is kept.
    ///
    /// The first failure, of `next` too, or the cancellation of our task, raises the stop sign; when this returns or throws, all work has ended.
    ///
    /// - Parameter next: called by several threads.
    public static func workOff<Item: Sendable, Kind: StoppableCode>(
        _ next: @escaping @Sendable () throws(CodedError<Kind>) -> Item?,
        _ work: @escaping @Sendable (Item, StopSign) throws(CodedError<Kind>) -> Void
    ) async throws(CodedError<Kind>) {
        _ = try await forEach(Array(0..<count)) { (_: Int, stop) throws(CodedError<Kind>) in
            while let item = try next() {
                try stop.check(CodedError<Kind>.self)
                try work(item, stop)
            }
        }
    }

    private final class WorkQueue<Item: Sendable, Output: Sendable, Kind: StoppableCode>: Sendable {
        typealias Failure = CodedError<Kind>

        private let items: [Item]
        private let next = Atomic(0)
        private let state: Mutex<(outputs: [Output?], failure: Failure?)>

        init(_ items: [Item]) {
            self.items = items
            state = Mutex(([Output?](repeating: nil, count: items.count), nil))
        }

        func workOff(_ stop: StopSign, _ work: (Item, StopSign) throws(Failure) -> Output) {
            do throws(Failure) {
                while case let index = next.add(1, ordering: .relaxed).oldValue, index < items.count {
                    try stop.check(Failure.self)
                    let output = try work(items[index], stop)
                    state.withLock { $0.outputs[index] = output }
                }
            } catch {
                stop.raise()
                fail(error)
            }
        }

        /// To be called when all have worked off the queue.
        func results() throws(Failure) -> [Output] {
            let (outputs, failure) = state.withLock { ($0.outputs, $0.failure) }
            if let failure { throw failure }
            return outputs.compactMap(\.self)
        }

        /// One fails by itself, the others because of it.
        private func fail(_ error: Failure) {
            state.withLock { state in
                guard state.failure == nil || state.failure?.isStopped == true else { return }
                state.failure = error
            }
        }
    }
}
