import DumpCore
import Linux
import SystemPackage

/// Dumps a directory: copies a file tree with modes, owners, times, links, holes, attributes and access control lists.
///
/// The copy is our own code and not `rsync -aHAXS --link-dest`, which was measured beside it (`make bench`): rsync does not see that a file
/// changed while it was copied, reads the holes of a sparse file, takes a file for unchanged by size and time alone, and leaves its
/// files to be read a second time for their checksums.
public struct DirectoryProvider: Provider {
    public static let kind = DirectorySettings.kind

    let settings: DirectorySettings

    public init(settings: DirectorySettings) { self.settings = settings }

    public func prepare(in run: RunContext) async throws(DumpError) -> any PreparedSource {
        do {
            return try await examined(for: run)
        } catch {
            throw error.ofDump(run.dump)
        }
    }
}
