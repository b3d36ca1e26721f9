import DumpCore
import Linux
import SystemPackage

/// The place of a directory that is to appear under its name complete, or not at all.
///
/// What is to be in it is made beside it, see `hidden`, and moved there in the end. The directory above is opened once, and not reached by
/// name again. It may belong to a user who puts another in its place meanwhile.
public struct VacantDirectory: Sendable {
    public let path: FilePath
    /// The directory above.
    public let parent: OpenDirectory
    private let name: FilePath

    /// Throws unless the path is free: nothing is there, or an empty directory that can be replaced.
    public init(_ path: FilePath) throws(DumpError) {
        self.path = path
        guard let last = path.lastComponent, last.kind == .regular else { throw Self.unusable(path, "it has no name") }
        name = FilePath(root: nil, [last])
        let above = path.removingLastComponent()
        do {
            parent = try OpenDirectory(following: above)
        } catch {
            let why = error == .notPermitted ? "a link on the way belongs to another user" : "\(error)"
            throw DumpError(.system, "cannot use \(above): \(why)", hint: "Make that directory first, or name another.")
        }
        try requireVacant()
    }

    private func requireVacant() throws(DumpError) {
        do {
            let there = try parent.status(of: name)
            // Neither a link nor a disk that is mounted there could be replaced in the end.
            guard there.kind == .directory else { throw Self.unusable(path, "it is not a directory") }
            guard try parent.status(of: FilePath()).device == there.device else {
                throw Self.unusable(path, "a file system is mounted there")
            }
            guard try parent.names(in: name).isEmpty else { throw occupied }
        } catch let error as DumpError {
            throw error
        } catch Errno.noSuchFileOrDirectory {
            // To be made.
        } catch {
            throw Self.unusable(path, "\(error)")
        }
    }

    /// A path beside it, on the same file system, that nothing lists by accident.
    public func hidden(_ suffix: String) -> FilePath { sibling(".\(path.lastComponent?.string ?? "").\(suffix)") }

    public func sibling(_ name: String) -> FilePath { path.removingLastComponent().appending(name) }

    /// Moves what was made to the path.
    public func receive(_ made: FilePath) throws(DumpError) {
        try receive(made) { () throws(Errno) in
            try FileSystem.rename(made, to: parent.unmistakablePath.pushing(name))
        }
    }

    /// Moves a directory that was made beside the path to it.
    ///
    /// - Parameter made: its name in `parent`. If that leads to another directory by now, it is not moved.
    public func receive(_ made: FilePath, _ directory: OpenDirectory) throws(DumpError) {
        try receive(path.removingLastComponent().pushing(made)) { () throws(Errno) in
            guard try parent.has(directory, at: made) else { throw Errno.notPermitted }
            try parent.rename(made, to: name)
            guard try parent.has(directory, at: name) else { throw Errno.notPermitted }
        }
    }

    private func receive(_ made: FilePath, _ rename: () throws(Errno) -> Void) throws(DumpError) {
        do {
            try rename()
        } catch Errno.directoryNotEmpty {
            throw occupied
        } catch Errno.notPermitted {
            throw DumpError(
                .system, "another process put something in the place of \(made)",
                hint: "Name a directory whose parent no other user may write to.")
        } catch {
            throw DumpError(.system, "cannot move \(made) to \(path): \(error)")
        }
    }

    /// Writes to disk that it is there.
    public func flush() throws(DumpError) {
        do {
            try parent.flush()
        } catch {
            throw DumpError(
                .system, "cannot write to disk \(path.removingLastComponent()): \(error)", underlying: error)
        }
    }

    private static func unusable(_ path: FilePath, _ why: String) -> DumpError {
        DumpError(
            .system, "cannot use \(path): \(why)",
            hint: "Name a directory that does not exist yet, or is empty, such as \(path.appending("new")).")
    }

    private var occupied: DumpError {
        DumpError(
            .settings, "there is something in \(path) already",
            hint: "Name a directory that does not exist yet, or is empty.")
    }
}
