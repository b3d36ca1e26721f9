import Linux
import SystemPackage

/// Volumes that lie below a dump's path and are not in its snapshot, which has an empty directory in the place of each.
///
/// Programs list volumes in text, in which a name can hide itself or the next one. The snapshot itself cannot lie.
public struct MissingVolumes: Sendable {
    /// Where volumes are known to be left out, relative to the tree. Nil: the operator leaves out all there are.
    let known: Set<FilePath>?

    /// Whether an entry of the tree is the place of a volume that should have been dumped.
    public func includes(_ path: FilePath, _ status: FileStatus) -> Bool {
        guard status.isPlaceOfSubvolume, let known else { return false }
        return !known.contains(path)
    }

    /// Whether it is the place of a snapshot that Muster took.
    public func isOwnSnapshot(_ path: FilePath, _ status: FileStatus) -> Bool {
        status.isPlaceOfSubvolume && path.isCalledLikeOwnSnapshot
    }
}

extension PlannedSnapshot {
    /// Nil where only Btrfs would say anything.
    var missingVolumes: MissingVolumes? {
        guard kind == .btrfs else { return nil }
        let below = volumesBelow.map { $0.relative(to: planning.survey.path) }
        return MissingVolumes(known: planning.settings.nested == .omit ? nil : Set(below))
    }
}
