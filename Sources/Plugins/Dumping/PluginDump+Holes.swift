import Checksums
import DumpCore
import Linux
import SystemPackage

extension PluginDump {
    /// To read more than this that no program has written takes longer than the deadline of a dump lets expect.
    private static let mostHoles: Int64 = 1 << 30

    /// Reads what is mostly holes to its end while the deadline counts. Sealing, which no deadline ends, then need not read it.
    func readHoles(in directory: FilePath, _ run: RunContext) async throws(DumpError) {
        try await onOwnThreadUntilCancelled { stop throws(DumpError) in
            do {
                for entry in try FileTree(directory).entries() where entry.status.holes > Self.mostHoles {
                    let digest = try FileScan(directory.pushing(entry.path)).digest { _ in
                        try stop.check(DumpError.self)
                    }
                    run.shortcuts.completed(entry.path, digest)
                }
            } catch let error as DumpError {
                throw error
            } catch {
                throw DumpError(.system, "cannot read what the plugin wrote: \(error)")
            }
        }
    }
}

extension FileStatus {
    fileprivate var holes: Int64 { kind == .file ? bytes - allocatedBytes : 0 }
}
