extension RunContext {
    /// Does work within the dump's deadline, or throws an error that says so. The dump itself has it already: this is for what may take
    /// as long before.
    ///
    /// - Parameter subject: what it is, to be followed by `did not end within its deadline of 1h`.
    public func withinDeadline<Result: Sendable>(
        _ subject: String, _ work: @escaping @Sendable () async throws -> Result
    ) async throws(DumpError) -> Result {
        let result: Result?
        do {
            result = try await withDeadline(deadline, work)
        } catch let error as DumpError {
            throw error
        } catch {
            throw DumpError(.cancelled, "the dump was cancelled", underlying: error)
        }
        guard let result else {
            throw DumpError(
                .deadline, "\(subject) did not end within its deadline of \(deadline?.settingsText ?? "")",
                hint: .raisingDeadline(orFinding: "a slow disk, a slow network"))
        }
        return result
    }
}

extension String {
    /// The hint of an error about a deadline.
    ///
    /// - Parameter causes: what may have held it up, as nouns.
    public static func raisingDeadline(orFinding causes: String) -> String {
        "Raise 'deadline:', or find out what holds it up: \(causes)."
    }
}
