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
            let group = if number == 0, let first { first } else { try await cluster.frozen(databases) }
            freezes.append(group.freeze)
            // What belongs to no database is dumped right after the first freeze.
            let globals = number == 0 ? globals(in: directory, under: watch) : nil
            await take(group, globals: globals, in: directory, run, under: watch, &outcomes)
            await group.close()
        }
        if let failure = outcomes.failure(among: cluster.units.count) { throw failure }
        var moment = Moment(freezes)
        if let globals = outcomes.parts.first(where: { $0.databases.isEmpty }) {
            moment.evidence["globals_from"] = globals.from.description
            moment.evidence["globals_to"] = globals.to.description
        }
        // In the order of the databases' names, whichever was ready first.
        let parts = outcomes.parts.sorted { ($0.databases.first?.path ?? "") < ($1.databases.first?.path ?? "") }
        return DumpedCluster(parts: parts, moment: moment)
    }

    private func take(
        _ group: FrozenGroup, globals: ScriptDump?, in directory: FilePath, _ run: RunContext,
        under watch: ServerWatch, _ outcomes: inout UnitOutcomes
    ) async {
        await withTaskGroup(of: (WorkUnit, Result<DumpedPart, DumpError>).self) { tasks in
            if let globals {
                tasks.addTask {
                    (globals.unit, await .awaiting { () throws(DumpError) in try await globals.take(in: run) })
                }
            }
            for database in group.databases {
                let dump = DatabaseDump(
                    source: database, unit: cluster.unit(for: database.open.database), directory: directory,
                    client: client, access: cluster.access, survey: cluster.survey, watch: watch,
                    lockTimeout: cluster.settings.lockTimeout, jobs: run.jobsPerUnit)
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

/// What became of the units of one dump.
private struct UnitOutcomes {
    private(set) var parts: [DumpedPart] = []
    private var failures: [Failure] = []

    private struct Failure {
        var unit: WorkUnit
        var error: DumpError
        /// What ended the whole dump comes first.
        var rank: (Int, String) { (error.leavesOthersAChance ? 1 : 0, unit.name) }
    }

    var leaveOthersAChance: Bool { failures.allSatisfy { $0.error.leavesOthersAChance } }

    mutating func add(_ outcome: Result<DumpedPart, DumpError>, of unit: WorkUnit) {
        switch outcome {
        case .success(let part): parts.append(part)
        case .failure(let error): failures.append(Failure(unit: unit, error: error))
        }
    }

    /// One error for all, or nil if there was none. Units that were cancelled because another failed do not count.
    func failure(among units: Int) -> DumpError? {
        let causes = failures.filter { $0.error.code != .cancelled }.sorted { $0.rank < $1.rank }
        guard let first = causes.first?.error else { return failures.first?.error }
        guard causes.count > 1 else { return first }
        var sum = DumpError(
            first.code, "\(causes.count) of \(units) parts failed, first: \(first.message)", hint: first.hint,
            context: first.context, isTransient: causes.allSatisfy(\.error.isTransient), underlying: first)
        for cause in causes.dropFirst() { sum.context["'\(cause.unit.name)'"] = cause.error.message }
        return sum
    }
}

extension DumpError {
    /// Whether the other databases of the same dump may still be worth dumping.
    fileprivate var leavesOthersAChance: Bool {
        [.programFailed, .incompleteDump, .snapshotLost, .stalled].contains(code)
    }
}
