import DumpCore
import Linux
import Processes
import SystemPackage

/// What `psql` needs to talk to a database that was restored to a throw-away server.
public struct RestoredDatabasePrompt: Sendable {
    /// psql of the server's own version.
    public var psql: FilePath
    /// Names the server, the database and the superuser. No password is needed.
    public var conninfo: String
    public var database: String
    /// What the operator should know, such as that the server is not isolated.
    public var findings: [Finding]
    /// What was compared with the manifest.
    public var outcome: RestoreOutcome
}

extension PostgreSQLRestorer {
    /// Restores one database of a dump to a server of its own, for as long as `body` runs. Both are gone afterwards.
    ///
    /// - Parameters:
    ///   - directory: the dump, verified.
    ///   - room: a directory for the restorer alone, empty and private.
    ///   - body: runs as our own user, and may not outlive its call.
    public func withDatabase<Success: Sendable>(
        _ database: String, of dump: Manifest.DumpRecord, from directory: FilePath, in room: FilePath,
        _ drill: DrillRequest = DrillRequest(), _ run: RunContext,
        _ body: @escaping @Sendable (RestoredDatabasePrompt) async throws(DumpError) -> Success
    ) async throws(DumpError) -> Success {
        var drill = drill
        drill.items = [database]
        let server = try await DrillServer.prepare(for: dump, drill, in: room, run: run.runID, runner: runner)
        let restoring = Drill(request: drill, dump: dump, server: server)
        return try await server.whileRunning { () throws(DumpError) in
            let outcome = try await restored(try restoring.restoreRequest, of: dump, from: directory, in: run)
            guard let item = outcome.items.first else {
                throw DumpError(.notRestored, "nothing was restored of database '\(database)'")
            }
            var options = try server.options
            options["dbname"] = item.name
            return try await body(
                RestoredDatabasePrompt(
                    psql: server.server.programs.path(of: "psql"), conninfo: options.conninfo, database: item.name,
                    findings: server.findings + outcome.findings, outcome: outcome))
        }
    }
}
