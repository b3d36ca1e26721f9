import Checksums
import DumpCore
import Linux
import SystemPackage

extension BorgRepository {
    /// Writes the repository's key to a new file, mode 0600. Without the key, a passphrase opens nothing.
    ///
    /// A file that holds this very key already is fine; any other file is left as it is, and is an error.
    public func exportKey(to path: FilePath) async throws(BorgError) {
        // To its standard output: Borg itself would write over whatever has the file's name, and with the mode that the directory hands on.
        let arguments = ["key", "export"] + (try await version().repository) + ["-"]
        do {
            let outcome = try await run(arguments, output: .collect(limit: Self.longestKey))
            try requireSuccess(outcome, "key export")
            try publish(outcome.output, as: path)
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

    private static let longestKey = 64 << 10

    private func publish(_ key: [UInt8], as path: FilePath) throws {
        let id = Self.repositoryID(ofKey: String(decoding: key, as: UTF8.self))
        guard id != nil else { throw keyError(path, "Borg wrote no key", hint: "Try borg key export by hand.") }
        do {
            try FileSystem.createPrivateFile(path, holding: key)
        } catch Errno.fileExists {
            let digest = try SHA256()
            try key.withUnsafeBytes { try digest.update($0) }
            let written = try digest.finish()
            // What cannot be read, such as a link, is another file.
            guard (try? FileScan(path).digest().sha256) != written else { return }
            let other = Self.repositoryID(ofKeyIn: path)
            let isKey = other != nil && other != id
            throw keyError(
                path, isKey ? "it holds the key of another repository" : "there is another file",
                hint: "Move it away, or change key_export:.")
        }
    }

    /// The repository that an exported key is of, by the first line of its file: `BORG_KEY ID`. Nil for any other file.
    public static func repositoryID(ofKeyIn path: FilePath) -> String? {
        FileSystem.kernelText(of: path).flatMap { repositoryID(ofKey: $0) }
    }

    private static func repositoryID(ofKey text: String) -> String? {
        guard let line = text.split(atASCII: "\n", maxSplits: 1).first else { return nil }
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
