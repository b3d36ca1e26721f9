import DumpCore
import Glibc
import Linux
import SystemPackage

extension StagingArea {
    /// What would keep a run from staging about this many bytes, as findings. Makes and changes nothing.
    ///
    /// - Parameter estimates: bytes of each dump, by name.
    public static func examine(
        _ root: FilePath, estimates: [String: Int64]
    ) async throws(StagingError) -> [Finding] {
        if let area = try await openExisting(root) {
            let needed = try await area.expectedBytes(estimates: estimates)
            try await area.requireSpace(for: needed)
            return try await area.currentSet() == nil ? [noSetYet(root)] : []
        }
        let parent = StagingArea(root: root.removingLastComponent())
        let isThere = try await onOwnThread { () throws(StagingError) in try parent.exists(parent.root) }
        guard isThere else {
            throw StagingError(
                .unsuitableDirectory, "staging directory \(root) cannot be created: \(parent.root) does not exist",
                hint: "Create \(parent.root), or mount the file system that it should be on.")
        }
        try await parent.requireSpace(for: estimates.values.reduce(0, +))
        return [noSetYet(root)]
    }

    /// Who holds the lock of the area now, in words; nil if nobody does.
    public func lockHolder() async throws(StagingError) -> String? {
        do {
            try await lockForReading(command: "muster status").release()
            return nil
        } catch {
            guard error.code == .locked else { throw error }
            return error.message
        }
    }

    private static func noSetYet(_ root: FilePath) -> Finding {
        Finding(.note, "no_set_yet", object: root.string, "no set has been published yet")
    }
}
