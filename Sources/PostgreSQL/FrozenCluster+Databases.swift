import DumpCore
import Linux
import SystemPackage

extension FrozenCluster {
    /// `layout: databases`: each database by itself, several at once, and what belongs to no database.
    ///
    /// A database that fails does not hide the others: all run to an outcome, unless going on makes no sense.
    func databaseParts(in directory: FilePath, _ run: RunContext) async throws(DumpError) -> [DumpedPart] {
        let parent = directory.appending("databases")
        do { try FileSystem.createDirectory(parent) } catch { throw DumpError(creating: parent, error) }
        var parts: [DumpedPart] = []
        var failures = DumpFailures()
        await withTaskGroup(of: (WorkUnit, Result<DumpedPart, DumpError>).self) { group in
            for database in cluster.selection.selected {
                let unit = cluster.unit(for: database)
                let dump = DatabaseDump(
                    database: database.name, unit: unit, directory: directory, client: client, access: cluster.access,
                    lockTimeout: cluster.settings.lockTimeout, jobs: run.jobsPerUnit)
                group.addTask { (unit, await outcome { () throws(DumpError) in try await dump.take(in: run) }) }
            }
            let script = globals(in: directory)
            group.addTask {
                (
                    Cluster.globals,
                    await outcome { () throws(DumpError) in try await run.perform(Cluster.globals, script.take) }
                )
            }
            for await (unit, outcome) in group {
                switch outcome {
                case .success(let part): parts.append(part)
                case .failure(let error):
                    failures.add(error, of: unit)
                    if !error.leavesOthersAChance { group.cancelAll() }
                }
            }
        }
        if let failure = failures.summed(among: cluster.units.count) { throw failure }
        // In the order of the databases' names, whichever was ready first.
        return parts.sorted { ($0.databases.first?.path ?? "") < ($1.databases.first?.path ?? "") }
    }

    private func outcome(
        _ take: () async throws(DumpError) -> DumpedPart
    ) async -> Result<DumpedPart, DumpError> {
        do throws(DumpError) {
            return .success(try await take())
        } catch {
            return .failure(error)
        }
    }

    private func globals(in directory: FilePath) -> ScriptDump {
        var arguments = ["--globals-only"]
        if !cluster.facts.role.readsPasswords { arguments.append("--no-role-passwords") }
        return ScriptDump(
            subject: "roles and tablespaces", unit: Cluster.globals, directory: directory, client: client,
            access: cluster.access, arguments: arguments)
    }
}

/// What went wrong with the units of one dump.
private struct DumpFailures {
    private struct Failure {
        var unit: WorkUnit
        var error: DumpError
        /// What ended the whole dump comes first.
        var rank: (Int, String) { (error.leavesOthersAChance ? 1 : 0, unit.name) }
    }

    private var failures: [Failure] = []

    mutating func add(_ error: DumpError, of unit: WorkUnit) { failures.append(Failure(unit: unit, error: error)) }

    /// One error for all, or nil if there was none. Units that were cancelled because another failed do not count.
    func summed(among units: Int) -> DumpError? {
        let causes = failures.filter { $0.error.code != .cancelled }.sorted { $0.rank < $1.rank }
        guard let first = causes.first?.error else { return failures.first?.error }
        guard causes.count > 1 else { return first }
        var sum = DumpError(
            first.code, "\(causes.count) of \(units) parts failed, first: \(first.message)", hint: first.hint,
            context: first.context, underlying: first)
        for cause in causes.dropFirst() { sum.context["'\(cause.unit.name)'"] = cause.error.message }
        return sum
    }
}

extension DumpError {
    /// Whether the other databases of the same dump may still be worth dumping.
    fileprivate var leavesOthersAChance: Bool { code == .programFailed || code == .incompleteDump }
}
