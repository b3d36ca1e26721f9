import Checksums
import DumpCore
import Linux
import SystemPackage

/// The tables of a cluster before pg_dumpall, whose snapshots cannot be looked into.
///
/// A table that was truncated or rewritten between the snapshot of its database and pg_dump's locks is empty in the script. So one
/// that changed while pg_dumpall ran, and is empty there, cannot be trusted.
struct ClusterTables: Sendable {
    private let opener: SessionOpener
    private let states: [(database: ServerFacts.Database, relations: [RelationStates.State])]

    static func ask(
        _ databases: [ServerFacts.Database], by opener: SessionOpener
    ) async throws(DumpError) -> ClusterTables {
        let outcomes = await opener.forEach(databases) { database in
            await Result.awaiting { () async throws(DumpError) in try await relations(of: database, by: opener) }
        }
        var states: [(ServerFacts.Database, [RelationStates.State])] = []
        for (database, outcome) in zip(databases, outcomes) { states.append((database, try outcome.get())) }
        return ClusterTables(opener: opener, states: states)
    }

    private static func relations(
        of database: ServerFacts.Database, by opener: SessionOpener
    ) async throws(DumpError) -> [RelationStates.State] {
        try await opener.open(database).session.closing { session throws(DumpError) in
            try await RelationStates.all(session)
        }
    }

    /// Throws a transient error when the script lacks the rows of tables that have changed since.
    func requireRows(in script: FilePath) async throws(DumpError) {
        let changed = try await changed()
        guard !changed.isEmpty else { return }
        let empty = try await onOwnThreadUntilCancelled { stop throws(DumpError) in
            var search = EmptyTableSearch(for: changed)
            do {
                _ = try FileScan(script).digest { chunk in
                    try stop.checkVerification()
                    search.take(chunk)
                }
            } catch {
                throw DumpError(ofReading: error)
            }
            return search.found
        }
        guard let first = empty.min(by: { ($0.database, $0.name) < ($1.database, $1.name) }) else { return }
        let names = empty.filter { $0.database == first.database }.map(\.name).sorted()
        var error = DumpError.changedTables(names, of: first.database)
        error.hint = "Run it when nothing does that, or set 'layout: databases', which freezes such a database again."
        throw error
    }

    private func changed() async throws(DumpError) -> Set<EmptyTableSearch.Table> {
        let now = try await ClusterTables.ask(states.map(\.database), by: opener)
        var changed: Set<EmptyTableSearch.Table> = []
        for (before, after) in zip(states, now.states) {
            for name in RelationStates.changes(from: before.relations, to: after.relations) {
                changed.insert(EmptyTableSearch.Table(database: before.database.name, name: name))
            }
        }
        return changed
    }
}
