import DumpCore
import Linux
import SystemPackage

/// All that has to be known to end a placement that a dead process began.
///
/// Whether the names were exchanged shows in which of them leads to what was there before, by its number in the file system.
struct RecordedPlacement: UndoFacts {
    static let recordKind = "tree_placed"

    /// The directory of all names here.
    var parent: FilePath
    /// What is restored.
    var name: FilePath.Component
    /// Muster's own directory, in which it is built under the same name.
    var hidden: FilePath.Component
    /// What was there before is to have this name. Nil if nothing was there.
    var kept: FilePath.Component?
    /// The inode of what was there before.
    var former: UInt64?

    var kind: String { Self.recordKind }

    var recorded: [String: String] {
        var facts = ["parent": parent.string, "name": name.string, "hidden": hidden.string]
        facts["kept"] = kept?.string
        facts["former_inode"] = former.map { "\($0)" }
        return facts
    }

    init(
        parent: FilePath, name: FilePath.Component, hidden: FilePath.Component, kept: FilePath.Component? = nil,
        former: UInt64? = nil
    ) {
        (self.parent, self.name, self.hidden) = (parent, name, hidden)
        (self.kept, self.former) = (kept, former)
    }

    init(of record: UndoRecord) throws(DumpError) {
        func component(_ fact: String) throws(DumpError) -> FilePath.Component {
            guard let name = FilePath.Component(fact), name.kind == .regular else {
                throw DumpError(
                    .settings, "the undo record of a restore has '\(fact.onOneLine)' where a name should be",
                    hint: "Another program wrote it. Look at what it names before you remove it.")
            }
            return name
        }
        parent = FilePath(try record.fact("parent"))
        name = try component(record.fact("name"))
        hidden = try component(record.fact("hidden"))
        kept = nil
        if let text = record.fact(ifAny: "kept") { kept = try component(text) }
        former = record.fact(ifAny: "former_inode").flatMap { UInt64($0) }
    }

    /// Where it is built, relative to `parent`.
    var built: FilePath { FilePath(root: nil, [hidden, name]) }
    var target: FilePath { FilePath(root: nil, [name]) }
    var keptPath: FilePath? { kept.map { FilePath(root: nil, [$0]) } }
}

extension RecordedPlacement {
    /// Ends what was begun: what was there before has its name again, or its new one if what was restored is in its place. What was
    /// half built is removed. May be called again.
    func undo() throws(DumpError) {
        do {
            let directory: OpenDirectory
            do throws(Errno) {
                directory = try OpenDirectory(following: parent)
            } catch .noSuchFileOrDirectory {
                return
            }
            try keepFormer(directory)
            try removeHidden(directory)
            try directory.flush()
        } catch {
            throw DumpError(
                .system, "cannot undo the restore of \(parent.appending(name)): \(error)",
                hint:
                    "See what is in the way, then run it again. \(parent.appending(hidden)) may hold what was there before.",
                underlying: error)
        }
    }

    /// After an exchange what was there before is where the other was built; between two renames, under its new name.
    private func keepFormer(_ directory: OpenDirectory) throws(Errno) {
        guard let former, let keptPath else { return }
        if try directory.inode(at: built) == former { return try directory.renameVacant(built, to: keptPath) }
        let isGone = try directory.inode(at: target) == nil
        guard isGone, try directory.inode(at: keptPath) == former else { return }
        try directory.renameVacant(keptPath, to: target)
    }

    /// A user who owns the directory may have put something else there: it is only removed if it is ours.
    func removeHidden(_ directory: OpenDirectory) throws(Errno) {
        let path = FilePath(root: nil, [hidden])
        guard let status = try directory.status(ifAnyAt: path), status.kind == .directory else { return }
        guard status.uid == UserAccount.currentID else { throw .notPermitted }
        try FileTree(directory.unmistakablePath.pushing(path)).remove()
    }
}

extension OpenDirectory {
    /// Nil where nothing is.
    func inode(at path: FilePath) throws(Errno) -> UInt64? { try status(ifAnyAt: path)?.inode }

    /// Renames to a name that is free. On a file system that cannot promise that, another process could take it at the same instant.
    func renameVacant(_ path: FilePath, to new: FilePath) throws(Errno) {
        do throws(Errno) {
            try renameNew(path, to: new)
        } catch {
            guard error.isUnsupportedRename else { throw error }
            guard try status(ifAnyAt: new) == nil else { throw .fileExists }
            try rename(path, to: new)
        }
    }

    func status(ifAnyAt path: FilePath) throws(Errno) -> FileStatus? {
        do throws(Errno) {
            return try status(of: path)
        } catch {
            guard error == .noSuchFileOrDirectory || error == .notDirectory else { throw error }
            return nil
        }
    }
}

extension Errno {
    /// Whether a rename with flags failed because the file system knows none (rename(2): EINVAL) or the kernel does not (ENOSYS).
    var isUnsupportedRename: Bool { [.invalidArgument, .noFunction, .notSupported].contains(self) }
}
