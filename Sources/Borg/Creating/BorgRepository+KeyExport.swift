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
            let (there, ours) = (try FileScan(path).digest().sha256, try FileScan(draft).digest().sha256)
            try FileSystem.removeFile(draft)
            guard there == ours else {
                throw keyError(path, "there is another file", hint: "Move it away, or change key_export:.")
            }
        }
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
