import DumpCore
import Processes

extension BorgRepository {
    /// Deletes an archive that was begun by a run that did not live to confirm it. Returns whether it was there.
    ///
    /// An archive of that name that another run made is left alone.
    public func remove(_ begun: BegunArchive) async throws(BorgError) -> Bool {
        try await remove(begun, lockWait: settings.lockWait) == .deleted
    }

    /// Deletes what an attempt made, and returns its error completed with what became of the archive.
    ///
    /// Does so too when the task is cancelled, in haste.
    func withdrawing(_ attempt: Attempt, after error: BorgError) async -> BorgError {
        do {
            return error.about("\(attempt.name) (\(try await withdraw(attempt).rawValue))")
        } catch let obstacle {
            return error.leaving(attempt.name, because: obstacle)
        }
    }

    private enum Fate: String {
        case deleted
        case absent = "not there"
        case foreign = "left alone, another made it"
    }

    private func withdraw(_ attempt: Attempt) async throws(BorgError) -> Fate {
        do {
            return try await remove(attempt.begun, lockWait: settings.lockWait)
        } catch {
            guard error.code == .cancelled else { throw error }
            // A task of its own is not cancelled with ours.
            return try await Task {
                await Result.awaiting { () async throws(BorgError) in try await removeInHaste(attempt) }
            }
            .value.get()
        }
    }

    /// Within the time that a service manager lets us, 90 s by default.
    private func removeInHaste(_ attempt: Attempt) async throws(BorgError) -> Fate {
        let fate: Fate?
        do {
            fate = try await withDeadline(.seconds(75)) { try await remove(attempt.begun, lockWait: .seconds(15)) }
        } catch let error as BorgError {
            throw error
        } catch {
            // Only the clock throws anything else, when it is cancelled, which never happens here.
            throw BorgError(.cancelled, "deleting was cancelled", underlying: error)
        }
        guard let fate else { throw BorgError(.cancelled, "borg took too long") }
        return fate
    }

    /// Deletes the archive if it is there and its comment says that it is of this very set and run. Borg refuses to create an
    /// archive under a name that is taken, so one of that name with another comment was there before us.
    private func remove(_ begun: BegunArchive, lockWait: Duration) async throws(BorgError) -> Fate {
        let named = try await archives(matching: begun.name, lockWait: lockWait)
        guard !named.isEmpty else { return .absent }
        guard let archive = named.first(where: { $0.provenance == begun.provenance }) else { return .foreign }
        log.warning("deleting the archive", metadata: ["repository": "\(name)", "archive": "\(archive.name)"])
        try await delete([archive], lockWait: lockWait)
        return .deleted
    }
}

extension BorgError {
    func about(_ archive: String) -> BorgError {
        var error = self
        error.context["archive"] = archive
        return error
    }

    fileprivate func leaving(_ archive: String, because obstacle: BorgError) -> BorgError {
        var error = about("\(archive) (may be there, could not be deleted)")
        error.underlying = UntrustedArchive(name: archive, cause: underlying)
        error.context["obstacle"] = obstacle.message
        error.hint = "Do not trust archive '\(archive)': delete it with borg delete." + (hint.map { " " + $0 } ?? "")
        return error
    }
}
