import DumpCore

/// Gives all restored databases their final names in one transaction, in the place of what has these names now.
///
/// A database can be renamed only while it has no connections. So those that are to make way refuse connections first, which shuts out
/// superusers too: the undo record must be there before.
struct RestoreExchange: Sendable {
    let target: RestoreTarget
    let databases: [RestoringDatabase]
    let replaced: [UnfinishedRestore.Replaced]
    /// A database to make and to do it from, where no other is left.
    let helper: String?
    let run: RunContext
    let passing: @Sendable (RestoreStep) async -> Void

    /// How often to end the sessions that came in between, such as those of a role that may connect all the same.
    private static let mostAttempts = 10

    func perform() async throws(DumpError) {
        try await fromNeutralDatabase { session throws(DumpError) in
            // It is what all that was restored before is on disk with.
            try await session.perform("set synchronous_commit to on")
            for database in replaced {
                try await session.change("alter database \(database.name.asIdentifier) allow_connections false")
            }
            await passing(.closed)
            try await exchange(session)
            await passing(.exchanged)
        }
    }

    private func exchange(_ session: Session) async throws(DumpError) {
        let old = replaced.map(\.name)
        for attempt in 1...Self.mostAttempts {
            try await session.terminateClients(of: old + databases.map(\.fresh))
            if attempt == 1 { await passing(.cleared) }
            do throws(DumpError) {
                return try await session.perform(try await statements(session))
            } catch {
                // Without an answer to this, the connection is lost, and with it the transaction.
                _ = try? await session.perform("rollback")
                // object_in_use: a session, a worker or a prepared transaction.
                guard error.context["sqlstate"] == "55006", attempt < Self.mostAttempts else { throw busy(error) }
            }
        }
    }

    private func busy(_ error: DumpError) -> DumpError {
        guard error.context["sqlstate"] == "55006" else { return error }
        var error = error
        error.hint = "Stop what connects to it, or commit its prepared transactions, and run the restore again."
        return error
    }

    private func statements(_ session: Session) async throws(DumpError) -> String {
        var statements = ["begin"]
        for database in replaced {
            statements += [
                "alter database \(database.name.asIdentifier) rename to \(database.kept.asIdentifier)",
                "alter database \(database.kept.asIdentifier) allow_connections \(database.allowsConnections)",
                try await marker(of: database, session),
            ]
        }
        for database in databases {
            statements.append("alter database \(database.fresh.asIdentifier) rename to \(database.final.asIdentifier)")
        }
        return (statements + ["commit"]).joined(separator: "; ")
    }

    /// What shows that a restore has kept it, before its own comment. That is bytes in whatever encoding its session had, which the server itself
    /// copies.
    private func marker(
        of database: UnfinishedRestore.Replaced, _ session: Session
    ) async throws(DumpError) -> String {
        let marker = KeptDatabase.Marker(run: run.runID, name: database.name, comment: nil)
        let row = try await session.row(
            """
            select shobj_description(oid, 'pg_database') is not null as has_comment,
                   exists (select from pg_language where lanname = 'plpgsql') as has_language
            from pg_database where oid::text = $1
            """, [String(database.oid)])
        guard try row.flag("has_comment"), try row.flag("has_language") else {
            return "comment on database \(database.kept.asIdentifier) is \(marker.text.asLiteral)"
        }
        let body = """
            begin execute format('comment on database %I is %L', \(database.kept.asLiteral),
                \(marker.text.asLiteral) || chr(10) || shobj_description(\(database.oid), 'pg_database')); end
            """
        return "do language plpgsql \(body.asLiteral)"
    }

    /// Does it from a database that keeps its name, or from one that is made for that and goes again.
    private func fromNeutralDatabase(
        _ body: (Session) async throws(DumpError) -> Void
    ) async throws(DumpError) {
        guard let helper else {
            return try await target.changing(in: Self.neutralDatabase(of: target, databases), body)
        }
        try await target.changing { session throws(DumpError) in
            try await session.change("create database \(helper.asIdentifier) template template0")
        }
        try await target.changing(in: helper, body)
        _ = try await target.drop(database: helper)
    }

    /// A database of the server that none of these is to replace; nil if they replace all.
    static func neutralDatabase(of target: RestoreTarget, _ databases: [RestoringDatabase]) -> String? {
        let moving = Set(databases.compactMap(\.live).map(\.name.nameBytes))
        let able = target.facts.databases.filter {
            !moving.contains($0.name.nameBytes) && $0.allowsConnections && !$0.isInvalid && $0.mayConnect
        }
        let usual = [target.controlDatabase, "postgres", "template1"].map(\.nameBytes)
        return (able.first { usual.contains($0.name.nameBytes) } ?? able.first)?.name
    }
}
