import ArgumentParser
import DumpCore
import Linux
import Logging
import PostgreSQL
import Processes
import Restoring
import SystemPackage

struct PsqlCommand: MusterCommand {
    static let manual = CommandManual(
        "psql", "Open psql on a database as an archive has it, on a throw-away server.",
        story: """
            Muster fetches that database alone, restores it to a throw-away server as in a drill, compares it with the manifest, and starts \
            psql. When psql ends, the copy is removed. Nothing of it reaches the live server.
            """,
        examples: [
            "muster psql latest shop --job nightly": "Look at the database as it was in the newest archive.",
            "muster psql latest shop -- -c 'select count(*) from orders'": "Ask one question.",
        ], statuses: .of(.restoreFailed))

    @Argument(help: archiveHelp, completion: .archives) var archive: String
    @Argument(help: ArgumentHelp("A database of the archive.", valueName: "database")) var database: String
    @Argument(parsing: .postTerminator, help: ArgumentHelp("Options for psql, after --.", valueName: "psql-option"))
    var arguments: [String] = []
    @Option(help: ArgumentHelp("The dump, where several have such a database.", valueName: "name")) var dump: String?
    @OptionGroup var options: AnyCatalogOptions
    @OptionGroup var restoreOptions: RestoreOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var progress: ProgressOptions

    func run() async throws {
        let log = output.logger()
        progress.begin(output, log: log)
        let status = try await restoring {
            try await options.withCatalog(log: log) { catalog in
                try await open(RestoreSource(catalog.set(archive)), log)
            }
        }
        if status != 0 { throw ExitCode(status) }
    }

    /// Returns psql's exit status.
    private func open(_ source: RestoreSource, _ log: Logger) async throws -> Int32 {
        let look = Look(
            at: database, of: dump, from: source,
            by: try await restoreOptions.means(plugins: options.ofJob.pluginPath, log: log))
        let restorer = PostgreSQLRestorer(runner: ProgramRunner(keeper: try Keeper.installed(), log: log))
        var request = DrillRequest()
        request.jobs = restoreOptions.processes
        return try await look.perform { [request, arguments, database] place throws(DumpError) in
            try await restorer.withDatabase(
                database, of: place.dump, from: place.directory, in: place.room, request, place.context
            ) { prompt throws(DumpError) in
                try await ForegroundProgram.run(prompt.psql, ["--dbname", prompt.conninfo] + arguments)
            }
        }
    }
}
