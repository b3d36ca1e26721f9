import DumpCore
import Linux
import SystemPackage

extension FrozenCluster {
    /// `layout: databases`: each database by itself, several at once, and what belongs to no database.
    ///
    /// A database that fails does not hide the others: all run to an outcome, unless going on makes no sense.
    func dumpDatabases(
        in directory: FilePath, _ run: RunContext, under watch: ServerWatch
    ) async throws(DumpError) -> DumpedCluster {
        let parent = directory.appending("databases")
        do { try FileSystem.createDirectory(parent) } catch { throw DumpError(creating: parent, error) }
        var outcomes = UnitOutcomes()
        var freezes: [Freeze] = []
        for (number, databases) in cluster.groups.enumerated() where outcomes.leaveOthersAChance {
            let group: FrozenGroup
            if number == 0, let first {
                group = first
            } else {
                let (later, gone) = try await cluster.frozen(databases, control: control)
                outcomes.gone += gone
                group = later
            }
            freezes.append(group.freeze)
            // What belongs to no database is dumped right after the first freeze.
            let globals = number == 0 ? globals(in: directory, under: watch) : nil
            await take(group, globals: globals, in: directory, run, under: watch, &outcomes)
            await group.close()
        }
        if let failure = outcomes.failure(among: cluster.units.count) { throw failure }
        var moment = Moment(freezes, again: outcomes.parts)
        if let globals = outcomes.globals {
            moment.evidence["globals_from"] = globals.from.description
            moment.evidence["globals_to"] = globals.to.description
        }
        // In the order of the databases' names, whichever was ready first.
        var parts = outcomes.parts.sorted { ($0.databases.first?.path ?? "") < ($1.databases.first?.path ?? "") }
        if !outcomes.gone.isEmpty { parts.append(DumpedPart(leavingOut: outcomes.gone)) }
        return DumpedCluster(parts: parts, moment: moment)
    }

    private func take(
        _ group: FrozenGroup, globals: ScriptDump?, in directory: FilePath, _ run: RunContext,
        under watch: ServerWatch, _ outcomes: inout UnitOutcomes
    ) async {
        await withTaskGroup(of: (WorkUnit, Result<DumpedPart, DumpError>).self) { tasks in
            if let globals {
                // They are urgent, but a busy machine may have the databases queue first.
                let (turn, begun) = AsyncStream<Void>.makeStream()
                tasks.addTask {
                    defer { begun.finish() }
                    return (
                        globals.unit,
                        await .awaiting { () throws(DumpError) in try await globals.take(in: run) { begun.finish() } }
                    )
                }
                for await _ in turn {}
            }
            // The first to queue may have its turn before the others queue: the largest.
            for database in group.databases.sorted(by: { $0.open.database.bytes ?? 0 > $1.open.database.bytes ?? 0 }) {
                let dump = DatabaseDump(
                    source: database, cluster: cluster, control: control, directory: directory, client: client,
                    watch: watch, jobs: run.turns.jobsPerUnit)
                tasks.addTask {
                    (dump.unit, await .awaiting { () throws(DumpError) in try await dump.take(in: run) })
                }
            }
            for await (unit, outcome) in tasks {
                outcomes.add(outcome, of: unit)
                if !outcomes.leaveOthersAChance { tasks.cancelAll() }
            }
        }
    }

    private func globals(in directory: FilePath, under watch: ServerWatch) -> ScriptDump {
        var arguments = ["--globals-only"]
        if !cluster.facts.role.readsPasswords { arguments.append("--no-role-passwords") }
        return ScriptDump(
            subject: "roles and tablespaces", unit: Cluster.globals, directory: directory, client: client,
            access: cluster.access, watch: watch, arguments: arguments,
            bootstrapRole: cluster.facts.bootstrapRole,
            settingsOfAllRoles: cluster.facts.settingsOfAllRoles)
    }
}
