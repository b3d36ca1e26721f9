import DumpCore
import Linux
import SystemPackage

/// What Borg notes of repositories while one command runs.
struct BorgNotes {
    private let directory: FilePath

    init() throws {
        let base = FilePath.temporaryFiles
        let name = FilePath("muster-borg-\(RunID(start: .now))")
        do {
            directory = base.pushing(name)
            _ = try OpenDirectory(following: base).openNewDirectory(name)
        } catch {
            throw CommandFailure(
                status: .failed,
                error: SetupError(
                    "cannot create a directory in \(base): \(error)",
                    hint: "Name another one: TMPDIR=/path/of/a/directory muster …"))
        }
    }

    /// - Parameter key: a copy of the repository's key, which Borg reads where it is.
    func variables(_ key: FilePath?) -> [String: String] {
        var variables = [
            "BORG_SECURITY_DIR": directory.appending("security").string,
            "BORG_CACHE_DIR": directory.appending("cache").string,
            "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes", "BORG_RELOCATED_REPO_ACCESS_IS_OK": "yes",
        ]
        variables["BORG_KEY_FILE"] = key?.string
        return variables
    }

    /// What cannot be removed holds no secret: the names of archives, and chunks without what is in them.
    func remove() { try? FileTree(directory).remove() }
}
