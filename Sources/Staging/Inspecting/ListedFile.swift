import Checksums
import DumpCore
import Linux
import SystemPackage

/// A file of a set and the digest that is listed for it.
struct ListedFile: Sendable {
    var path: FilePath
    var sha256: String
    /// Its size now.
    var bytes: Int64
    /// The digest that it is known to have; nil if it has to be read.
    var found: String?

    /// Reads the file unless its digest is known, and returns what is wrong with it.
    func compare(
        in root: OpenDirectory, until stop: StopSign, progress: (Int64) -> Void
    ) throws(StagingError) -> SetProblem? {
        do {
            let digest = try digest(in: root, until: stop, progress: progress)
            guard digest != sha256 else { return nil }
            return SetProblem(
                kind: .changed, path: path, details: "changed, its SHA-256 is \(digest) and not \(sha256)")
        } catch let error where error.code == .cancelled {
            throw error
        } catch {
            return SetProblem(kind: .unreadable, path: path, details: error.message)
        }
    }

    private func digest(
        in root: OpenDirectory, until stop: StopSign, progress: (Int64) -> Void
    ) throws(StagingError) -> String {
        guard let found else {
            return try FileScan(path, of: root).digest(until: stop, progress: progress).sha256
        }
        progress(bytes)
        return found
    }
}
