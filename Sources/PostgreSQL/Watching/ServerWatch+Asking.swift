import DumpCore

/// What the watch asks the server, and what becomes of it when there is no answer.
extension ServerWatch {
    func backends() async -> [DumpBackend] {
        await asking { session throws(DumpError) in
            try await DumpBackend.all(
                named: names, in: session, major: cluster.facts.major)
        } ?? []
    }

    private var names: [String] { units.values.map(\.followed.applicationName) }

    /// What a question to the server yields, or nil when it could not be asked. The first such failure is the last question.
    private func asking<Answer: Sendable>(
        _ question: (Session) async throws(DumpError) -> Answer
    ) async -> Answer? {
        guard !isBlind else { return nil }
        do {
            return try await question(try await openSession())
        } catch {
            guard !Task.isCancelled else { return nil }
            isBlind = true
            run.log.warning(
                "cannot follow the dump on the server, progress is shown by what is staged",
                metadata: ["dump": "\(run.dump)", "error": "\(error.message)"])
            return nil
        }
    }

    /// The programs need theirs more: the last connections are left to them.
    private func requireRoom() async throws(DumpError) {
        guard try await ConnectionBudget.free(for: control) <= run.turns.jobsPerUnit else { return }
        throw DumpError(.sourceUnavailable, "no connection left for the watch")
    }

    private func connect(to database: String) async throws(DumpError) -> Session {
        var options = cluster.access.options
        options["dbname"] = database
        return try await Session.connect(options, password: cluster.opener.password, as: cluster.access.user)
    }

    private func openSession() async throws(DumpError) -> Session {
        if let session { return session }
        try await requireRoom()
        let opened = try await connect(to: cluster.access.controlDatabase)
        session = opened
        return opened
    }

    /// The session for finding out why a unit stands still: a new one if the old one is of no use.
    func diagnosisSession() async throws(DumpError) -> Session {
        if isBlind {
            await session?.close()
            session = nil
        }
        return try await openSession()
    }

    /// Sizes of the tables of units that have run for a moment. Short ones are over before anybody would look.
    func learnSizes() async {
        for (number, unit) in units where !unit.askedForSizes && !isBlind {
            units[number]?.askedForSizes = true
            let sizes = await sizes(of: unit.followed)
            units[number]?.track.sizes = sizes
        }
    }

    /// Nil when one of the databases did not tell: the estimate is better than a part.
    private func sizes(of followed: FollowedUnit) async -> [TableID: TableSize]? {
        guard !followed.databases.isEmpty else { return nil }
        var sizes: [TableID: TableSize] = [:]
        for database in followed.databases {
            do throws(DumpError) {
                // Only there do names and sizes of its tables have a meaning.
                try await requireRoom()
                let found = try await connect(to: database).closing { session throws(DumpError) in
                    try await TableSize.all(in: session)
                }
                sizes.merge(found) { first, _ in first }
            } catch {
                run.log.debug(
                    "no table sizes", metadata: ["unit": "\(followed.unit.name)", "error": "\(error.message)"])
                return nil
            }
        }
        return sizes
    }
}
