import DumpCore
import Linux
import Staging
import SystemPackage

extension Extraction {
    /// The hidden directory beside the target in which an extraction is made and verified.
    struct Room: Sendable {
        let path: FilePath
        private let place: VacantDirectory
        /// Opened before the first byte, so that whatever cannot be written back to disk shows when all of it is flushed.
        private let flushing: FileDescriptor

        init(_ place: VacantDirectory) throws(ArchiveError) {
            self.place = place
            path = place.hidden("extracting-\(RunID(start: .now))")
            do {
                try FileSystem.createDirectory(path)
                flushing = try FileDescriptor.open(path, .readOnly, options: [.directory, .closeOnExec])
            } catch {
                throw ArchiveError(.target, "cannot create \(path): \(error)", hint: "Check the permissions there.")
            }
        }

        /// Moves trees that Borg read in place to where a copy would be: the dump's own directory.
        func gather(_ manifest: Manifest, _ part: SetPart?) async throws(ArchiveError) {
            try await onOwnThread { () throws(ArchiveError) in
                for dump in manifest.dumps where part == nil || part?.dump == dump.name {
                    guard dump.tree?.reference != nil, let place = dump.treePath else { continue }
                    do {
                        try move(dump.pathInArchive(of: place), to: place)
                    } catch {
                        throw ArchiveError(
                            .system, "cannot move what was extracted to \(path.pushing(place)): \(error)")
                    }
                }
            }
        }

        private func move(_ extracted: FilePath, to place: FilePath) throws(Errno) {
            // Not extracted, or not in the archive: then it is found to be missing.
            guard (try? FileSystem.status(of: path.pushing(extracted))) != nil else { return }
            let dump = path.pushing(place.removingLastComponent())
            do { try FileSystem.createDirectory(dump) } catch .fileExists {}
            try FileSystem.rename(path.pushing(extracted), to: path.pushing(place))
            // What is left of the way to it, up to where another tree lies.
            var parent = extracted.removingLastComponent()
            while !parent.isEmpty, (try? FileSystem.removeEmptyDirectory(path.pushing(parent))) != nil {
                parent.removeLastComponent()
            }
        }

        /// Removes what only served to verify the rest, and moves the rest into place, on disk.
        func complete(leavingOut scaffolding: [FilePath]) async throws {
            try await onOwnThread { () throws(ArchiveError) in
                do {
                    for name in scaffolding { try FileTree(path.pushing(name)).remove() }
                    try FileSystem.flushFileSystem(through: flushing)
                    try place.receive(path)
                } catch let error as DumpError {
                    throw ArchiveError(.target, error.message, hint: error.hint, underlying: error)
                } catch {
                    throw ArchiveError(.system, "cannot complete \(path): \(error)")
                }
            }
            close()
        }

        /// Leaves what was extracted under a name that says that it is not verified, and the error saying where. After an interruption,
        /// or before the first file, nothing is left.
        func leave(after error: any Error) async -> any OperatorError {
            close()
            // Nor is it of use what was to vouch for something that is not there.
            let isOfNoUse = Task.isCancelled || (error as? ArchiveError)?.code == .notInArchive
            let kept = await onOwnThread { () -> FilePath? in
                // A directory that cannot be read any more is kept.
                let isEmpty = (try? FileSystem.names(in: path).isEmpty) ?? false
                guard !isEmpty, !isOfNoUse else {
                    // Hidden, and named for what it is: to say more of it would hide the error at hand.
                    try? FileTree(path).remove()
                    return nil
                }
                return keep()
            }
            return told(error, kept)
        }

        /// The place where it is kept: the first free one of `DIR.unverified`, `DIR.unverified-2` …
        private func keep() -> FilePath {
            let name = place.path.lastComponent?.string ?? ""
            for number in 1...100 {
                let candidate = place.sibling("\(name).unverified" + (number > 1 ? "-\(number)" : ""))
                if (try? FileSystem.renameNew(path, to: candidate)) != nil { return candidate }
            }
            return path
        }

        private func told(_ error: any Error, _ kept: FilePath?) -> any OperatorError {
            let error = error as? any OperatorError ?? UnexpectedError(error)
            guard let kept else { return error }
            var context = error.context
            context["kept"] = "\(kept), which is NOT VERIFIED"
            return ExtractionFailure(error: error, context: context)
        }

        // Nothing was written through it.
        private func close() { try? flushing.close() }
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
