import Synchronization
import SystemPackage

/// The files that are being copied, to name the one that holds up a dump. One whose copying fails or is cut off stays.
final class FilesAtHand: Sendable {
    private let paths = Mutex<[FilePath]>([])

    func begin(_ path: FilePath) { paths.withLock { $0.append(path) } }

    func end(_ path: FilePath) { paths.withLock { $0.removeAll { $0 == path } } }

    /// The one that has been at hand for longest.
    var first: FilePath? { paths.withLock { $0.first } }
}
