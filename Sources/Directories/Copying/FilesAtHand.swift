import DumpCore
import Synchronization
import SystemPackage

/// The directory that is being listed and the files that are being copied, to name what holds up a dump. A file whose copying fails or is cut
/// off stays.
final class FilesAtHand: Sendable {
    private let copied = Mutex<[FilePath]>([])
    private let listed = Mutex<FilePath?>(nil)

    func begin(_ path: FilePath) { copied.withLock { $0.append(path) } }

    func end(_ path: FilePath) { copied.withLock { $0.removeAll { $0 == path } } }

    /// From now on, and no longer the one before.
    func list(_ directory: FilePath?) { listed.withLock { $0 = directory } }

    /// The file that has been at hand for longest, or else the directory; `doing` is the key of an error's context.
    var culprit: (doing: String, path: FilePath)? {
        if let file = copied.withLock({ $0.first }) { return ("copying", file) }
        return listed.withLock { $0 }.map { ("reading", $0) }
    }

    /// An error that says that the time was up, with what was at hand: a user may have made it without end.
    func explained(_ error: DumpError, below root: FilePath) -> DumpError {
        guard error.code == .deadline else { return error }
        var error = error
        error.hint = .raisingDeadline(orFinding: "a slow disk, a slow network, a tree that grows")
        if let place = culprit { error.context[place.doing] = root.pushing(place.path).string }
        return error
    }
}
