import DumpCore
import Linux
import SystemPackage

/// A set as its manifest and lists describe it, compared with what is there. Contents of listed files are not read.
struct SetInspection: Sendable {
    let head: SetHead
    /// In the order of their paths.
    let problems: [SetProblem]
    /// How many files are there.
    let files: Int
    /// Whether each file looks as it did when it was sealed.
    let isAsSealed: Bool

    /// - Parameter sealed: how the files looked then; nil if that is not known.
    init(_ head: SetHead, comparing sealed: SealedFiles? = nil) throws(StagingError) {
        var walk = try SetWalk(head)
        var (known, isAsSealed) = (sealed?.states(), sealed != nil)
        while let file = try walk.next() {
            // A note that cannot be read does not count.
            if isAsSealed, (try? known?.next()) != file.state { isAsSealed = false }
        }
        self.head = head
        self.isAsSealed = isAsSealed && (try? known?.next()) == nil
        (problems, files) = (walk.problems.sorted(), walk.files)
    }

    /// The set, if nothing is the matter with it.
    func requireIntact() throws(StagingError) -> SealedSet {
        guard problems.isEmpty else { throw .damaged(head.root, problems) }
        return SealedSet(root: head.root, manifest: head.manifest, manifestSHA256: head.manifestSHA256, files: files)
    }
}
