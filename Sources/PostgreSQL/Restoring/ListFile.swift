import DumpCore
import Glibc
import Linux
import SystemPackage

/// The list that pg_restore chooses entries by, in a directory that only its user can enter. It holds numbers alone.
struct ListFile: Sendable {
    private let directory: FilePath
    var path: FilePath { directory.appending("list") }

    /// - Parameter user: whom pg_restore runs as; nil for our own.
    init(holding text: String, for user: UserAccount?) throws(DumpError) {
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(parent)/muster-restore-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw DumpError(.system, "cannot create a directory in \(parent): \(Errno(rawValue: errno))")
        }
        directory = FilePath(platformString: template)
        do {
            try FileSystem.createPrivateFile(path, holding: Array(text.utf8))
            guard let user else { return }
            for path in [path, directory] {
                guard path.withPlatformString({ lchown($0, user.uid, user.gid) }) == 0 else {
                    throw Errno(rawValue: errno)
                }
            }
        } catch {
            remove()
            throw DumpError(.system, "cannot write \(path): \(error)", underlying: error)
        }
    }

    func remove() {
        // What cannot be removed is a list of numbers in the temporary directory.
        try? FileTree(directory).remove()
    }
}
