import DumpCore
import Linux
import Reporting
import Staging
import SystemPackage

extension Extraction {
    /// The hidden directory beside the target in which an extraction is made and verified. No other user can enter it.
    struct Room: Sendable {
        /// For messages.
        let path: FilePath
        let directory: OpenDirectory
        private let place: VacantDirectory
        private let name: FilePath

        /// What it is opened by, instead of a name that its parent's owner may give to another.
        var workPath: FilePath { directory.unmistakablePath }

        /// Where one is to be made.
        static func path(at place: VacantDirectory) -> FilePath { place.hidden("extracting-\(RunID(start: .now))") }

        init(_ place: VacantDirectory, _ path: FilePath) throws(ArchiveError) {
            self.place = place
            self.path = path
            name = FilePath(root: nil, path.components.suffix(1))
            do {
                // Opened before the first byte: what cannot be written back to disk shows when all of it is flushed.
                directory = try place.parent.openNewDirectory(name)
            } catch {
                throw ArchiveError(.target, "cannot create \(path): \(error)", hint: "Check the permissions there.")
            }
        }

        /// Removes what only served to verify the rest, and moves the rest into place, on disk.
        func complete(leavingOut scaffolding: [FilePath]) async throws {
            try await onOwnThread { () throws(ArchiveError) in
                do {
                    for name in scaffolding { try FileTree(workPath.pushing(name)).remove() }
                    try directory.flushFileSystem()
                    try place.receive(name, directory)
                    try place.flush()
                } catch let error as DumpError {
                    throw ArchiveError(.target, error)
                } catch {
                    throw ArchiveError(.system, "cannot complete \(path): \(error)")
                }
            }
        }

        /// Leaves what was extracted under a name that says that it is not verified, and the error saying where. After an interruption,
        /// or before the first file, nothing is left.
        func leave(after error: any Error) async -> any OperatorError {
            // Nor is it of use what was to vouch for something that is not there.
            let isOfNoUse = Task.isCancelled || (error as? ArchiveError)?.code == .notInArchive
            let kept = await onOwnThread { () -> FilePath? in
                // A directory that can no longer be read is kept.
                let isEmpty = (try? directory.names(in: FilePath()).isEmpty) ?? false
                guard !isEmpty, !isOfNoUse else {
                    // Hidden, and named for what it is: to say more of it would hide the error at hand.
                    try? remove()
                    return nil
                }
                return keep()
            }
            return told(error, kept)
        }

        /// Empties it, wherever it is by now.
        private func remove() throws(Errno) {
            for name in try directory.names(in: FilePath()) { try FileTree(workPath.appending(name)).remove() }
            guard try place.parent.has(directory, at: name) else { return }
            try place.parent.remove(name, isDirectory: true)
        }

        /// The place where it is kept: the first free one of `DIR.unverified`, `DIR.unverified-2` …
        private func keep() -> FilePath {
            let name = place.path.lastComponent?.string ?? ""
            guard (try? place.parent.has(directory, at: self.name)) == true else { return path }
            for number in 1...100 {
                let candidate = place.sibling("\(name).unverified" + (number > 1 ? "-\(number)" : ""))
                let new = FilePath(root: nil, candidate.components.suffix(1))
                if (try? place.parent.renameNew(self.name, to: new)) != nil { return candidate }
            }
            return path
        }

        private func told(_ error: any Error, _ kept: FilePath?) -> any OperatorError {
            let error = error.forOperator
            guard let kept else { return error }
            var context = error.context
            context["kept"] = "\(kept), which is NOT VERIFIED"
            return ExtractionFailure(error: error, context: context)
        }
    }
}

/// What went wrong, and where what had been extracted by then is kept.
public struct ExtractionFailure: OperatorError {
    public let error: any OperatorError
    public let context: ErrorContext
    public var codeName: String { error.codeName }
    public var message: String { error.message }
    public var hint: String? { error.hint }
}
