import DumpCore
import Linux

/// A database with the session that will hold its snapshot.
struct OpenDatabase: Sendable {
    var database: ServerFacts.Database
    var session: Session
}

/// Opens sessions in the databases of the server that a first session has found.
struct SessionOpener: Sendable {
    /// Pinned to that server, without a database.
    var options: ConnectionOptions
    var password: Secret?
    var user: UserAccount?

    /// How many sessions are opened at once. Enough to use all processors of the server and ours, and no flood.
    var atOnce = SessionOpener.mostAtOnce

    static let mostAtOnce = 8

    func open(_ database: ServerFacts.Database) async throws(DumpError) -> OpenDatabase {
        do {
            return OpenDatabase(database: database, session: try await open(named: database.name))
        } catch {
            var error = error
            error.context["database"] = database.name
            throw error
        }
    }

    /// Where there are few connections, a program that has just ended may still be counted: that is waited for.
    func open(named database: String) async throws(DumpError) -> Session {
        var options = options
        options["dbname"] = database
        let end = ContinuousClock.now + ConnectionBudget.patience
        while true {
            do {
                return try await Session.connect(options, password: password, as: user)
            } catch {
                guard error.hint == FailureCause.tooManyConnections, ContinuousClock.now < end else { throw error }
            }
            do { try await Task.sleep(for: .milliseconds(100)) } catch {
                throw DumpError(.cancelled, "connecting to PostgreSQL was cancelled")
            }
        }
    }

    /// A session in each. One that cannot be opened does not hide the others; when there is one, the others are closed again.
    func open(_ databases: [ServerFacts.Database]) async throws(DumpError) -> [OpenDatabase] {
        let outcomes = await forEach(databases) { database in
            await Result.awaiting { () async throws(DumpError) in try await open(database) }
        }
        do throws(DumpError) {
            var open: [OpenDatabase] = []
            for outcome in outcomes { open.append(try outcome.get()) }
            return open
        } catch {
            await outcomes.compactMap { try? $0.get() }.close()
            throw error
        }
    }
}

extension SessionOpener {
    /// Does the same for every database, several at once, and returns the outcomes in their order.
    func forEach<Outcome: Sendable>(
        _ databases: [ServerFacts.Database], _ work: @escaping @Sendable (ServerFacts.Database) async -> Outcome
    ) async -> [Outcome] {
        await withTaskGroup(of: (Int, Outcome).self) { group in
            var outcomes: [Int: Outcome] = [:]
            for (place, database) in databases.enumerated() {
                if place >= atOnce, let (place, outcome) = await group.next() { outcomes[place] = outcome }
                group.addTask { (place, await work(database)) }
            }
            for await (place, outcome) in group { outcomes[place] = outcome }
            return databases.indices.compactMap { outcomes[$0] }
        }
    }
}

extension [OpenDatabase] {
    func close() async {
        let sessions = map(\.session)
        await onOwnThread { for session in sessions { session.closeHere() } }
    }
}
