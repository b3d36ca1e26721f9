import SystemPackage

extension FileSystem {
    /// Writes a new file that only its owner may read, whole and on disk or not there at all.
    ///
    /// Nothing is found under its name before that. The file is made under an unpredictable name and closed to others, whatever access
    /// control lists the directory hands on. It is filled only then. Throws `Errno.fileExists` when the name is taken, by a link too.
    public static func createPrivateFile(_ path: FilePath, holding bytes: [UInt8]) throws {
        guard let name = path.lastComponent else { throw Errno.isDirectory }
        let parent = path.removingLastComponent()
        let directory = OpenDirectory(
            parent, openAs: try .open(parent, .readOnly, options: [.directory, .closeOnExec]))
        let draft = FilePath(".muster-\(UInt64.random(in: .min ... .max))")
        let file = try directory.createFile(draft)
        do {
            try file.closeAfter {
                try file.setMode(0o600)
                try file.removeAccessLists()
                _ = try file.writeAll(bytes)
                try flush(file)
            }
            try directory.link(draft, of: directory, as: FilePath(root: nil, [name]))
        } catch {
            // The error at hand says more.
            try? directory.remove(draft)
            throw error
        }
        try directory.remove(draft)
        try flush(parentOf: path)
    }
}
