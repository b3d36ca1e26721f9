import DumpCore
import Linux

extension StagingArea {
    /// How many bytes the next set will take: for each dump what it took in the current set. For a dump that is new there, and for a
    /// tree, of which only changes are copied, it is the estimate.
    ///
    /// - Parameter estimates: for each dump of the job, by name.
    public func expectedBytes(estimates: [String: Int64]) async throws(StagingError) -> Int64 {
        let area = self
        return await onOwnThread {
            // Without a current set that can be read there are the estimates.
            let dumps = SetHead.manifest(of: area.current)?.dumps ?? []
            let last = Dictionary(dumps.filter { $0.tree == nil }.map { ($0.name, $0.bytes) }) { first, _ in first }
            return estimates.map { last[$0.key] ?? $0.value }.total
        }
    }

    /// What can be written to the staging area's file system, in bytes.
    public func freeBytes() async throws(StagingError) -> Int64 {
        let area = self
        return try await onOwnThread { () throws(StagingError) in
            try attempting(to: "look at", area.root) { try FileSystem.availableBytes(at: area.root) }
        }
    }

    /// Throws `.noSpace`, with both numbers, unless this many bytes can be written to the staging area.
    public func requireSpace(for bytes: Int64) async throws(StagingError) {
        guard try await freeBytes() < bytes else { return }
        throw .noSpace(to: "take the dumps into \(root)", at: root, needed: bytes)
    }
}
