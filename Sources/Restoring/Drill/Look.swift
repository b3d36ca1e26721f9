import Catalog
import DumpCore
import Linux
import Logging
import Reporting
import Staging
import SystemPackage

/// A look at one database of a set, restored to a place that is thrown away: `muster psql`.
public struct Look: Sendable {
    let database: String
    let dump: String?
    let source: RestoreSource
    let means: RestoreMeans

    /// What was fetched for it.
    public struct Place: Sendable {
        public var dump: Manifest.DumpRecord
        /// The dump, verified.
        public var directory: FilePath
        /// An empty directory for the restorer alone.
        public var room: FilePath
        public var context: RunContext
    }

    public init(at database: String, of dump: String?, from source: RestoreSource, by means: RestoreMeans) {
        (self.database, self.dump, self.source, self.means) = (database, dump, source, means)
    }

    /// Fetches the database, and calls `body`. What was fetched is removed afterwards.
    public func perform<Result: Sendable>(
        _ body: @Sendable (Place) async throws(DumpError) -> Result
    ) async throws -> Result {
        let run = RunID(start: .now)
        let meant = try record()
        let parts = meant.parts(at: try means.restorers.restorer(of: meant).parts(of: meant, items: [database]))
        return try await means.area.withRoom(of: "muster psql", for: run, in: means.base) { room in
            let (set, _) = try await source.fetch(parts, into: room, by: means)
            let place = room.path.appending("restored")
            try FileSystem.createDirectory(place)
            return try await body(
                Place(
                    dump: meant, directory: set.directory(of: meant), room: place,
                    context: means.context(of: meant.name, run)))
        }
    }

    private func record() throws(DumpError) -> Manifest.DumpRecord {
        var choice = RestoreChoice()
        (choice.dumps, choice.databases) = ([dump].compactMap(\.self), [database])
        let shares = try choice.shares(of: source.manifest)
        guard let first = shares.first, shares.count == 1 else {
            throw DumpError(
                .settings,
                "several dumps have a database '\(database)': \(shares.map(\.dump.name).joined(separator: ", "))",
                hint: "Name one: --dump NAME.")
        }
        return first.dump
    }
}
