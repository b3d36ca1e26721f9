import DumpCore
import Linux
import Processes
import SystemPackage

/// One database, made under a name that marks it as unfinished, filled by pg_restore, and compared with the manifest.
struct DatabaseRestore: Sendable {
    let database: RestoringDatabase
    let dump: Manifest.DumpRecord
    let target: RestoreTarget
    let client: Client
    let tables: TableSelection?
    let request: RestoreRequest
    /// The directory of the dump.
    let directory: FilePath
    let jobs: Int
    let passing: @Sendable (RestoreStep) async -> Void

    private var archive: FilePath { directory.pushing(database.dumped.path) }

    /// What comes out of it: the comparison, and what the operator should know.
    func perform(in run: RunContext) async throws(DumpError) -> ComparisonResult {
        do {
            let entries = try ArchiveEntries.read(archive.appending(ArchiveVerification.contentsFile))
            try await TablesPutTogether(
                of: database.dumped.contents, in: archive, only: tables.map { Set($0.files) }
            ).perform()
            let statements = try await DatabaseStatements.read(
                takesLabels ? entries : entries.withoutLabels, of: database.dumped.name, by: target)
            run.log.notice(
                "restoring a database",
                metadata: ["dump": "\(run.dump)", "database": "\(database.dumped.name)", "as": "\(database.final)"])
            if takesLabels { try await target.requireProviders(ofLabelsIn: entries, database.subject) }
            try await create(statements)
            await passing(.created)
            try await fill(in: run)
            await passing(.filled)
            try await finish(statements)
            var result = try await compare()
            if request.leavesOutLabels { result.leaveOut(labels: entries.labelProviders) }
            try result.comparison.requireSame(database)
            try await moveTables()
            await passing(.compared)
            return result
        } catch {
            var error = error
            if error.context["database"] == nil { error.context["database"] = database.dumped.name }
            throw error
        }
    }

    private var takesLabels: Bool { tables == nil && !request.leavesOutLabels }

    /// Makes the database as it was. Its limits come at the end.
    private func create(_ statements: DatabaseStatements) async throws(DumpError) {
        try await target.changing { session throws(DumpError) in
            do throws(DumpError) {
                try await session.change(statements.creation(as: database.fresh))
            } catch {
                throw RestoreFailure.ofCreating(database, error)
            }
        }
        guard tables == nil else { return }
        try await target.changing { session throws(DumpError) in
            for statement in statements.attributes(of: database.fresh) { try await session.change(statement) }
        }
        guard statements.hasConverted else { return }
        try await target.changing(in: database.fresh) { session throws(DumpError) in
            try await statements.giveConvertedAttributes(in: session)
        }
    }

    private func fill(in run: RunContext) async throws(DumpError) {
        let size = RestoredSize(database: database, target: target, expected: expectedBytes)
        try await size.shown(in: run) { () throws(DumpError) in try await restoreArchive(in: run) }
        try await target.changing(in: database.fresh) { session throws(DumpError) in
            try await session.detachSubscriptions()
        }
        guard !hasStatistics else { return }
        run.log.debug("analyzing a restored database", metadata: ["database": "\(database.fresh)"])
        try await analyze(in: run)
    }

    private var expectedBytes: Int64 { database.bytes }

    private func restoreArchive(in run: RunContext) async throws(DumpError) {
        guard let tables else { return try await runRestore(takesLabels ? [] : ["--no-security-labels"], in: run) }
        // What it may not read would be its own list: so the list is a file of its user.
        let list = try ListFile(holding: tables.list, for: target.access.user)
        defer { list.remove() }
        try await runRestore(
            ["--use-list=\(list.path)", "--no-owner", "--no-privileges", "--no-publications", "--no-subscriptions"],
            in: run)
    }

    private func runRestore(_ options: [String], in run: RunContext) async throws(DumpError) {
        var arguments = ["--exit-on-error", "--no-password"] + options
        if areSeveral { arguments.append("--jobs=\(jobs)") }
        arguments.append("--dbname=\(target.access.conninfo(database: database.fresh))")
        arguments.append(Program.directoryPath.string)
        let program = target.access.program(client.path(of: .pgRestore), arguments, directory: archive)
        let outcome = try await target.access.run(program)
        guard outcome.succeeded else { throw RestoreFailure(subject: database.subject).error(outcome) }
    }

    /// Whether processes can work beside each other: not at the rows of one table and one index.
    private var areSeveral: Bool {
        guard let tables else { return jobs > 1 }
        let kinds: Set = ["TABLE DATA", "INDEX", "CONSTRAINT"]
        return jobs > 1 && tables.entries.count { kinds.contains($0.kind) } > 2
    }

    /// Whether pg_restore has put back the optimizer's statistics, which pg_dump writes from 18 on.
    private var hasStatistics: Bool {
        (dump.dumpingMajor ?? 0) >= 18 && client.version.major >= 18
    }

    private func analyze(in run: RunContext) async throws(DumpError) {
        let vacuumdb = client.directory.appending("vacuumdb")
        guard areSeveral, Executables.isExecutable(vacuumdb) else {
            return try await target.changing(in: database.fresh) { session throws(DumpError) in
                try await session.change("analyze")
            }
        }
        let program = target.access.program(
            vacuumdb,
            [
                "--analyze-only", "--quiet", "--no-password", "--jobs=\(jobs)",
                "--dbname=\(target.access.conninfo(database: database.fresh))",
            ])
        let outcome = try await target.access.run(program)
        guard outcome.succeeded else {
            throw DumpError(
                .programFailed, "vacuumdb of \(database.subject) \(outcome.status)",
                context: ["stderr": outcome.lastErrors])
        }
    }

    private func finish(_ statements: DatabaseStatements) async throws(DumpError) {
        guard tables == nil else { return }
        try await target.changing { session throws(DumpError) in
            for statement in statements.limits(of: database.fresh) { try await session.change(statement) }
        }
    }

    private func compare() async throws(DumpError) -> ComparisonResult {
        var contents = database.dumped.contents
        if let tables {
            let names = Set(tables.tables.map(\.qualifiedName.nameBytes))
            contents.tables = contents.tables.filter { names.contains("\($0.schema).\($0.name)".nameBytes) }
            contents.record = nil
        }
        return try await target.reading(in: database.fresh) { session throws(DumpError) in
            try await DatabaseComparison(contents, of: dump).examine(in: session, major: target.facts.major)
        }
    }

    /// Puts restored tables into the schema that the operator wants them in.
    private func moveTables() async throws(DumpError) {
        guard let tables, let schema = request.schema else { return }
        try await target.changing(in: database.fresh) { session throws(DumpError) in
            try await session.change("create schema if not exists \(schema.asIdentifier)")
            for table in tables.tables where table.schema.nameBytes != schema.nameBytes {
                try await session.change(
                    "alter table \(table.schema.asIdentifier).\(table.tag.asIdentifier) set schema \(schema.asIdentifier)"
                )
            }
        }
    }
}

extension RestoreComparison {
    /// Throws if anything is not as the manifest has it: pg_restore may leave out a table and say that all went well.
    fileprivate func requireSame(_ database: RestoringDatabase) throws(DumpError) {
        guard let first = differences.first else { return }
        var context: ErrorContext = ["differences": differences.prefix(20).map(\.description).joined(separator: "\n")]
        if differences.count > 20 { context["more"] = "\(differences.count - 20)" }
        let others = differences.count > 1 ? ", and \(counted(Int64(differences.count - 1), "more difference"))" : ""
        throw DumpError(
            .notRestored, "\(database.subject) was not restored as it was dumped: \(first)\(others)",
            hint: "Nothing of it was kept. Check that pg_restore is PostgreSQL's own, then restore another archive.",
            context: context)
    }
}
