import ArgumentParser
import DumpCore
import Linux
import Logging
import Restoring
import SystemPackage

struct RestoreCommand: MusterCommand {
    static let manual = CommandManual(
        "restore", "Restore databases, tables or directories from an archive, and compare them with its manifest.",
        story: """
            What is restored appears beside what is there, as shop_restored_<time>, unless --as or --replace says otherwise. It gets its \
            name once it equals what the manifest says; until then, and after a failure, nothing has changed. Roles that are missing are \
            created, and roles that are there stay as they are.

            A restore goes by the archive alone. It needs no job file when --repository-location names the repository, and no staging \
            directory. What would stand in the way, such as a missing tablespace or extension, is reported before anything is made.

            It runs code that the owners of the databases wrote, as the role that restores: functions, triggers, views.
            """,
        examples: [
            "muster restore latest --database shop --job nightly": "Restore one database beside the one there is.",
            "muster restore latest --database shop --replace": "Put it in its place, and keep the old one.",
            "muster restore latest --database shop --table public.orders":
                "Restore one table, and fetch no more than that.",
            "muster restore latest --replace --repository-location 12345@host.rsync.net:backups/web1":
                "Restore everything on a new host.",
            "muster restore latest --dump documents --as /srv/documents.old": "Restore a directory under another name.",
            "muster restore --drop-old --database shop":
                "Remove what an earlier restore has kept; a directory with --path.",
        ], statuses: .of(.restoreFailed))

    @Argument(help: archiveHelp, completion: .archives) var archive: String?
    @Option(help: ArgumentHelp("A set on disk instead of an archive, such as the job's current one.", valueName: "dir"))
    var set: String?
    @OptionGroup var options: AnyCatalogOptions
    @OptionGroup(title: "WHAT") var what: WhatToRestore
    @OptionGroup(title: "WHERE") var place: WhereToRestore
    @Flag(help: "Only show what would be restored, and what stands in the way.") var dryRun = false
    @Flag(help: "Print the commands that do the same without Muster, and restore nothing.") var print = false
    @Flag(help: "Remove what earlier restores have replaced and kept.") var dropOld = false
    @Flag(help: "Undo what a killed restore left, and restore nothing.") var undo = false
    @OptionGroup var restoreOptions: RestoreOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var progress: ProgressOptions

    func validate() throws {
        guard [archive != nil, set != nil].filter(\.self).count < 2 else {
            throw ValidationError("an archive and --set are two sources", hint: "Leave out one of them.")
        }
        guard [dryRun, print, dropOld, undo].filter(\.self).count < 2 else {
            throw ValidationError("--dry-run, --print, --drop-old and --undo exclude each other", hint: "Choose one.")
        }
    }

    func run() async throws {
        let log = output.logger()
        progress.begin(output, log: log)
        try await restoring {
            if undo { return try await undoLeftovers(log) }
            if dropOld { return try await dropKept(log) }
            if let set { return try await restore(from: RestoreSource(at: JobOptions.absolute(set)), log) }
            try await options.withCatalog(log: log) { catalog in
                let foresight = choice().foresight(
                    by: try restoreOptions.restorers(plugins: options.ofJob.pluginPath, log: log))
                // A table is put beside what is there, and ought to be there soon.
                let set = try await catalog.set(
                    archive ?? "latest", foreseeing: foresight, trustsNotes: !what.tables.isEmpty)
                try await restore(from: RestoreSource(set), log)
            }
        }
    }

    private func restore(from source: RestoreSource, _ log: Logger) async throws {
        if print { return Console.shared.result(try guide(source, log)) }
        let report = try await Restore(
            of: choice(), from: source, by: restoreOptions.means(plugins: options.ofJob.pluginPath, log: log),
            isRehearsal: dryRun
        ).perform()
        if output.json { return Console.shared.result(try json(report)) }
        if !output.quiet { Console.shared.result(report.text(isRehearsal: dryRun)) }
    }

    private func choice() -> RestoreChoice {
        var choice = RestoreChoice()
        (choice.dumps, choice.databases, choice.paths) = (what.dumps, what.databases, what.paths)
        choice.request = place.request
        choice.request.pieces = what.tables
        choice.request.rowsOnly = what.rowsOnly
        choice.request.jobs = restoreOptions.processes
        return choice
    }

    private func guide(_ source: RestoreSource, _ log: Logger) throws -> String {
        try RestoreGuide(
            of: choice(), from: source, by: restoreOptions.restorers(plugins: options.ofJob.pluginPath, log: log)
        ).text
    }
}

/// Which part of an archive is meant.
struct WhatToRestore: ParsableArguments {
    @Option(name: .customLong("dump"), help: ArgumentHelp("Only this dump; may be repeated.", valueName: "name"))
    var dumps: [String] = []
    @Option(
        name: .customLong("database"), help: ArgumentHelp("Only this database; may be repeated.", valueName: "name"))
    var databases: [String] = []
    @Option(
        name: .customLong("table"),
        help: ArgumentHelp("Only this table of one database; may be repeated.", valueName: "schema.name"))
    var tables: [String] = []
    @Option(
        name: .customLong("path"),
        help: ArgumentHelp("Only this file or directory of a dumped directory; may be repeated.", valueName: "path"))
    var paths: [String] = []
    @Flag(help: "Restore only the rows of a table: no indexes, constraints or triggers.") var rowsOnly = false

    func validate() throws {
        guard tables.isEmpty || databases.count <= 1 else {
            throw ValidationError("--table goes with one database", hint: "Restore from each database by itself.")
        }
        guard !rowsOnly || !tables.isEmpty else {
            throw ValidationError("--rows-only goes with --table", hint: "Name the table: --table SCHEMA.NAME.")
        }
    }
}

/// Where it is to be restored to.
struct WhereToRestore: ParsableArguments {
    @Option(
        name: .customLong("as"), help: ArgumentHelp("A new name for one database, or one directory.", valueName: "name")
    )
    var name: String?
    @Flag(help: "Restore beside what is there, compare, exchange the names, and keep the old one.") var replace = false
    @Option(
        help: ArgumentHelp(
            "How to reach the server, as libpq writes it. Not set: the socket of this host.", valueName: "conninfo"))
    var to: String?
    @Option(help: ArgumentHelp("The user to be at the server. Not set: postgres, if you are root.", valueName: "user"))
    var runAs: String?
    @Option(help: ArgumentHelp("With --table: the schema to put it into.", valueName: "name")) var schema: String?

    func validate() throws {
        guard name == nil || !replace else {
            throw ValidationError("--as and --replace exclude each other", hint: "Leave out one of them.")
        }
    }

    var request: RestoreRequest {
        var request = RestoreRequest()
        request.placement = replace ? .replacing : name.map { .named($0) } ?? .beside
        (request.target, request.user, request.schema) = (to, runAs, schema)
        return request
    }
}
