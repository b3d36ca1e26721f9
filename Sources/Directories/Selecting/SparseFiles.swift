import DumpCore
import Linux
import SystemPackage

extension DirectorySettings {
    /// Throws for a file whose holes would be read for days. Any user can make one in a moment.
    func requireReadable(_ path: FilePath, _ status: FileStatus, in root: FilePath) throws(DumpError) {
        guard sparseFiles == .fail, status.holeBytes > SparseFiles.mostHoles else { return }
        throw DumpError(
            .tooManyHoles,
            "\(root.pushing(path)) has \(formatBytes(status.holeBytes)) of holes, which all have to be read",
            hint: "Leave it out with exclude:, or set sparse_files: read if it is a real file.",
            context: ["owner": "\(status.uid)"])
    }
}

extension FileStatus {
    /// The zeros of a file that take no space on disk.
    fileprivate var holeBytes: Int64 { kind == .file ? max(bytes, 0) - min(max(allocatedBytes, 0), max(bytes, 0)) : 0 }
}

extension DumpErrorCode {
    /// A file has so many holes that reading them would take days.
    static let tooManyHoles = Self(rawValue: "too_many_holes")
}
