import DumpCore
import Linux
import SystemPackage

/// The place of a directory that is to appear under its name complete, or not at all.
///
/// What is to be in it is made beside it, see `hidden`, and moved there in the end.
struct VacantDirectory: Sendable {
    let path: FilePath

    /// Throws unless the path is free: nothing is there, or an empty directory that can be replaced.
    init(_ path: FilePath) throws(DumpError) {
        self.path = path
        do {
            let there = try FileSystem.status(of: path)
            // Neither a link nor a disk that is mounted there could be replaced in the end.
            guard there.kind == .directory else { throw unusable("it is no directory") }
            let parent = try FileSystem.status(of: path.removingLastComponent())
            guard parent.device == there.device else { throw unusable("a file system is mounted there") }
            guard try FileSystem.names(in: path).isEmpty else { throw occupied }
        } catch let error as DumpError {
            throw error
        } catch Errno.noSuchFileOrDirectory {
            // To be made.
        } catch {
            throw unusable("\(error)")
        }
    }

    /// A path beside it, on the same file system, that nothing lists by accident.
    func hidden(_ suffix: String) -> FilePath { sibling(".\(path.lastComponent?.string ?? "").\(suffix)") }

    func sibling(_ name: String) -> FilePath { path.removingLastComponent().appending(name) }

    /// Moves what was made to the path.
    func receive(_ made: FilePath) throws(DumpError) {
        do {
            try FileSystem.rename(made, to: path)
        } catch Errno.directoryNotEmpty {
            throw occupied
        } catch {
            throw DumpError(.system, "cannot move \(made) to \(path): \(error)")
        }
    }

    /// Writes to disk that it is there.
    func flush() throws(DumpError) {
        let parent = path.removingLastComponent()
        do {
            try FileSystem.flush(parent)
        } catch {
            throw DumpError(.system, "cannot write to disk \(parent): \(error)", underlying: error)
        }
    }

    private func unusable(_ why: String) -> DumpError {
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
