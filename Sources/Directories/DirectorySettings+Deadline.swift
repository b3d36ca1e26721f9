import DumpCore

extension DirectorySettings {
    /// Does work on the tree within the deadline, or throws an error that names what was at hand: a user may have made it without end.
    func withinDeadline<Result: Sendable>(
        _ subject: String, _ atHand: FilesAtHand, _ work: @escaping @Sendable () async throws -> Result
    ) async throws(DumpError) -> Result {
        let result: Result?
        do {
            result = try await withDeadline(deadline, work)
        } catch let error as DumpError {
            throw error
        } catch {
            throw DumpError(.cancelled, "the dump was cancelled", underlying: error)
        }
        guard let result else { throw tooLate(subject, atHand) }
        return result
    }

    private func tooLate(_ subject: String, _ atHand: FilesAtHand) -> DumpError {
        var error = DumpError(
            .deadline, "\(subject) did not end within its deadline of \(deadline?.settingsText ?? "")",
            hint: "Raise 'deadline:', or find out what holds it up: a slow disk, a slow network, a tree that grows.")
        if let place = atHand.culprit { error.context[place.doing] = path.pushing(place.path).string }
        return error
    }
}
