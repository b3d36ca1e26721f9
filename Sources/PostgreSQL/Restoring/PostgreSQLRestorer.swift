import DumpCore
import Linux
import Processes
import SystemPackage

/// Puts back databases that pg_dump wrote, each under a name of its own until it was compared with the manifest.
public struct PostgreSQLRestorer: Restorer {
    let runner: ProgramRunner
    /// Where pg_restore is; nil looks in the usual places.
    var binDirectory: FilePath?
    /// Comes by each place between two steps at which a restore may be killed.
    var passing: @Sendable (RestoreStep) async -> Void = { StopPoint.passing("restore.\($0.rawValue)") }

    /// - Parameter runner: starts pg_restore and psql.
    public init(runner: ProgramRunner) { self.runner = runner }

    public func prepare(
        _ request: RestoreRequest, of dump: Manifest.DumpRecord, reading files: any DumpFiles, in run: RunContext
    ) async throws(DumpError) -> any PreparedRestore {
        let target = try await RestoreTarget.connect(to: request.target, as: request.user, runner: runner, for: run)
        let planning = RestorePlanning(
            request: request, dump: dump, files: files, target: target, restorer: self, run: run)
        return try await planning.prepared()
    }

    /// The roles and the databases that are drilled.
    public func parts(of dump: Manifest.DumpRecord, items: [String]) -> [FilePath]? {
        guard !items.isEmpty, dump.script == nil else { return nil }
        let wanted = Set(items.map(\.nameBytes))
        let databases = dump.databases.filter { wanted.contains($0.name.nameBytes) }
        return [GlobalsScript.file] + databases.map { FilePath($0.path) }
    }

    public var undoneKinds: Set<String> { [UnfinishedRestore.recordKind] }

    public func undo(_ record: UndoRecord, in run: RunContext) async throws(DumpError) {
        try await UnfinishedRestore(of: record).undo(by: runner, in: run)
    }
}

/// Where a restore has come to, for tests that kill it there.
enum RestoreStep: String, Sendable, CaseIterable {
    case recorded, roles, created, filled, compared, closed, cleared, exchanged
}
