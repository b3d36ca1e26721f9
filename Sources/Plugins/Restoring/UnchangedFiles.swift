import DumpCore
import Linux
import SystemPackage

/// The files of a dump as they are before a plugin restores from them. The plugin must not change them, because it compares what it
/// restored with them.
struct UnchangedFiles: Sendable {
    private let directory: FilePath
    private let entries: [FileTree.Entry]

    init(in directory: FilePath) async throws(DumpError) {
        self.directory = directory
        entries = try await Self.files(in: directory)
    }

    /// Throws if a file was changed or removed since.
    func require(of plugin: String) async throws(DumpError) {
        let now = Dictionary(uniqueKeysWithValues: try await Self.files(in: directory).map { ($0.path, $0.status) })
        for entry in entries {
            let status = now[entry.path]
            guard status?.inode != entry.status.inode || status?.changed != entry.status.changed else { continue }
            throw DumpError(
                .notRestored,
                "plugin '\(plugin)' \(status == nil ? "removed" : "changed") '\(entry.path)' of the dump that it restored",
                hint: DumpError.faultOfPlugin)
        }
    }

    private static func files(in directory: FilePath) async throws(DumpError) -> [FileTree.Entry] {
        try await onOwnThread { () throws(DumpError) in
            do throws(Errno) {
                return try FileTree(directory).entries().filter { $0.status.kind == .file }
            } catch {
                throw DumpError(.system, "cannot look at the dump's files in \(directory): \(error)")
            }
        }
    }
}
