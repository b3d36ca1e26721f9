import Checksums
import DumpCore
import Linux

extension StagingErrorCode: StoppableCode {
    public static var cancellation: String { "the work on the staging area was cancelled" }
}

extension FileScan {
    /// The file's digest, unless the sign is raised before its end.
    ///
    /// - Parameter progress: told the length of each piece that was read.
    func digest(until stop: StopSign, progress: (Int64) -> Void = { _ in }) throws(StagingError) -> FileDigest {
        try attempting(to: "read", path) {
            try digest { chunk in
                try stop.check(StagingError.self)
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
