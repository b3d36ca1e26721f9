import DumpCore
import Processes
import SystemPackage

/// Databases of a dump that were looked at and could be restored, as a story.
struct PreparedPostgreSQLRestore: PreparedRestore {
    let request: RestoreRequest
    let dump: Manifest.DumpRecord
    let restorer: PostgreSQLRestorer
    let target: RestoreTarget
    /// Nil, with a finding, if none can restore it.
    let client: Client?
    let databases: [RestoringDatabase]
    let tables: TableSelection?
    let isEmptyServer: Bool
    let findings: [Finding]

    var facts: ErrorContext {
        var facts: ErrorContext = [
            "server_version": target.facts.version, "connection": target.access.options.shownEndpoint,
            "role": target.facts.role.name, "is_superuser": target.facts.role.isSuperuser ? "true" : "false",
        ]
        facts["pg_restore_version"] = client?.version.description
        facts["pg_restore_directory"] = client?.directory.string
        return facts
    }

    var plan: [RestorePlan] { databases.map(\.plan) }
    var reader: String? { target.access.user?.name }

    /// For tables, the table of contents and their own files; for databases, their directories and the roles.
    var parts: [FilePath]? {
        if let tables, let database = databases.first {
            return [database.dumped.path.appending(ArchiveVerification.contentsFile)]
                + tables.files.map { database.dumped.place(of: $0) }
        }
        guard !request.items.isEmpty else { return nil }
        return [GlobalsScript.file] + databases.map(\.dumped.path)
    }

    func restore(from directory: FilePath, in run: RunContext) async throws(DumpError) -> RestoreOutcome {
        if let error = DumpError(standingInTheWay: findings) { throw error }
        guard let client else { throw DumpError(.programUnsuitable, "there is no pg_restore") }
        let roles = try await RestoredRoles.plan(self, from: directory)
        let unfinished = unfinished(making: roles, run: run.runID)
        let record = try await run.journal.record(unfinished, of: run.dump)
        await restorer.passing(.recorded)
        let outcome = await Result.awaiting { () async throws(DumpError) in
            try await roles.create(on: target, by: client, from: directory, in: run)
            await restorer.passing(.roles)
            let restored = try await restoreAll(client, from: directory, in: run)
            try await exchange(unfinished, in: run)
            return restored
        }
        switch outcome {
        case .success(let restored):
            try await run.journal.forget(record)
            return RestoreOutcome(
                items: restored.map(\.item),
                findings: roles.findings + (tables?.findings ?? []) + restored.flatMap(\.findings),
                identity: [
                    "server_version": target.facts.version, "system_identifier": target.facts.systemIdentifier,
                    "client_version": client.version.description, "role": target.facts.role.name,
                ])
        case .failure(let error): throw await undone(unfinished, record, after: error, in: run)
        }
    }

    /// Each beside the others, the largest first. The first that fails ends them all.
    private func restoreAll(
        _ client: Client, from directory: FilePath, in run: RunContext
    ) async throws(DumpError) -> [Restored] {
        let jobs = databases.count == 1 ? max(run.turns.jobsPerUnit, request.jobs) : run.turns.jobsPerUnit
        let outcome = await withTaskGroup(of: Result<Restored, DumpError>.self) { group in
            for database in databases {
                let restore = DatabaseRestore(
                    database: database, dump: dump, target: target, client: client, tables: tables, request: request,
                    directory: directory, jobs: jobs, passing: restorer.passing)
                group.addTask {
                    await Result.awaiting { () async throws(DumpError) in try await item(restore, in: run) }
                }
            }
            var items: [Restored] = []
            var failure: DumpError?
            for await result in group {
                switch result {
                case .success(let item): items.append(item)
                case .failure(let error):
                    // What the others say then is that they were cancelled.
                    failure = failure ?? error
                    group.cancelAll()
                }
            }
            return failure.map { Result<[Restored], DumpError>.failure($0) } ?? .success(items)
        }
        return try outcome.get().sorted { $0.item.item < $1.item.item }
    }

    private func item(_ restore: DatabaseRestore, in run: RunContext) async throws(DumpError) -> Restored {
        let database = restore.database
        let start = ContinuousClock.now
        let result = try await run.perform(database.unit) { () throws(DumpError) in
            try await restore.perform(in: run)
        }
        let item = RestoredItem(
            item: database.dumped.name, name: database.final, kept: database.kept,
            durationSeconds: (ContinuousClock.now - start) / .seconds(1), comparison: result.comparison)
        return Restored(item: item, findings: result.findings)
    }

    /// One database, with the findings of its comparison that are not differences.
    private struct Restored: Sendable {
        var item: RestoredItem
        var findings: [Finding]
    }

    /// Where the answer to the commit was lost, the server tells whether it was one.
    private func exchange(_ unfinished: UnfinishedRestore, in run: RunContext) async throws(DumpError) {
        let exchange = RestoreExchange(
            target: target, databases: databases, replaced: unfinished.replaced, helper: unfinished.helper, run: run,
            passing: restorer.passing)
        do {
            try await exchange.perform()
        } catch {
            guard error.code != .cancelled, (try? await unfinished.isFinished(on: target)) == true else { throw error }
        }
    }
}

extension PreparedPostgreSQLRestore {
    fileprivate func unfinished(making roles: RestoredRoles, run: RunID) -> UnfinishedRestore {
        let options = target.access.options
        return UnfinishedRestore(
            conninfo: request.target, user: request.user, host: options["host"] ?? "",
            address: options["hostaddr"] ?? "", port: options["port"] ?? "",
            systemIdentifier: target.facts.systemIdentifier, fresh: databases.map(\.fresh),
            witnesses: databases.map { $0.kept ?? $0.final },
            replaced: databases.compactMap { database in
                guard let live = database.live, let kept = database.kept else { return nil }
                return UnfinishedRestore.Replaced(
                    oid: live.oid, name: live.name, kept: kept, allowsConnections: live.allowsConnections)
            }, roles: roles.names, tablespaces: roles.tablespaces,
            helper: RestoreExchange.neutralDatabase(of: target, databases) == nil
                ? RestoreNames(run: run).unfinished("muster") : nil)
    }

    /// The error, once nothing is left of the restore. Also when it was cancelled: a task of its own is not.
    fileprivate func undone(
        _ unfinished: UnfinishedRestore, _ record: UndoRecord, after error: DumpError, in run: RunContext
    ) async -> DumpError {
        let runner = restorer.runner
        let undoing = await Task {
            await Result.awaiting { () async throws(DumpError) in
                try await unfinished.undo(by: runner, in: run)
                try await run.journal.forget(record)
            }
        }.value
        guard case .failure(let reason) = undoing else { return error }
        run.log.error(
            "cannot undo a restore that failed: 'muster undo' or the next restore will",
            metadata: ["dump": "\(run.dump)", "error": "\(reason)"])
        var error = error
        error.context["left"] = unfinished.fresh.joined(separator: ", ")
        error.context["cleanup"] = reason.message
        return error
    }
}
