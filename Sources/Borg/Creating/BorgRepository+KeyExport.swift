import Checksums
import DumpCore
import Linux
import SystemPackage

extension BorgRepository {
    /// Writes the repository's key to a new file, mode 0600. Without the key, a passphrase opens nothing.
    ///
    /// A file that holds this very key already is fine; any other file is left as it is, and is an error.
    public func exportKey(to path: FilePath) async throws(BorgError) {
        let draft = FilePath(path.string + ".new")
        let arguments = ["key", "export"] + (try await version().repository) + [draft.string]
        do {
            try FileSystem.removeFile(draft)
            try requireSuccess(try await run(arguments), "key export")
            try FileSystem.flush(draft)
            try publish(draft, as: path)
            try FileSystem.flush(path.removingLastComponent())
        } catch let error as BorgError {
            throw error.about(keyAt: path)
        } catch {
            throw keyError(
                path, (error as? any OperatorError)?.message ?? "\(error)",
                hint: "Check key_export: and the permissions there.")
        }
        log.notice(
            "exported the repository's key: store it on another host, with the passphrase",
            metadata: ["repository": "\(name)", "file": "\(path)"])
    }

    private func publish(_ draft: FilePath, as path: FilePath) throws {
        do throws(Errno) {
            try FileSystem.renameNew(draft, to: path)
        } catch {
            guard error == .fileExists else { throw error }
            let isSame = try FileScan(path).digest().sha256 == FileScan(draft).digest().sha256
            let obstacle = Self.obstacle(at: path, to: draft)
            try FileSystem.removeFile(draft)
            guard isSame else { throw keyError(path, obstacle, hint: "Move it away, or change key_export:.") }
        }
    }

    private static func obstacle(at path: FilePath, to draft: FilePath) -> String {
        guard let other = repositoryID(ofKeyIn: path), other != repositoryID(ofKeyIn: draft) else {
            return "there is another file"
        }
        return "it holds the key of another repository"
    }

    /// The repository that an exported key is of, by the first line of its file: `BORG_KEY ID`. Nil for any other file.
    public static func repositoryID(ofKeyIn path: FilePath) -> String? {
        guard let line = FileSystem.kernelText(of: path)?.split(atASCII: "\n", maxSplits: 1).first else { return nil }
        let words = line.splitAtASCIISpace()
        guard words.count == 2, words[0] == "BORG_KEY" else { return nil }
        return String(words[1])
    }

    private func keyError(_ path: FilePath, _ reason: String, hint: String) -> BorgError {
        BorgError(.settings, "cannot export the key of repository '\(name)' to \(path): \(reason)", hint: hint)
    }
}

extension BorgError {
    fileprivate func about(keyAt path: FilePath) -> BorgError {
        var error = self
        error.context["key_export"] = path.string
        return error
    }
}
