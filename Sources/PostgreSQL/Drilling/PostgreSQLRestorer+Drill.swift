import DumpCore
import Linux
import Processes
import SystemPackage

extension PostgreSQLRestorer {
    public func drill(
        _ drill: DrillRequest, of dump: Manifest.DumpRecord, from directory: FilePath, in room: FilePath,
        _ run: RunContext
    ) async throws(DumpError) -> RestoreOutcome {
        try await self.drill(drill, of: dump, awaiting: { directory }, in: room, run)
    }

    /// The server is made while the files are fetched.
    public func drill(
        _ drill: DrillRequest, of dump: Manifest.DumpRecord,
        awaiting files: @escaping @Sendable () async throws(DumpError) -> FilePath, in room: FilePath, _ run: RunContext
    ) async throws(DumpError) -> RestoreOutcome {
        let server = try await DrillServer.prepare(for: dump, drill, in: room, run: run.runID, runner: runner)
        return try await Drill(request: drill, dump: dump, server: server).perform { request throws(DumpError) in
            let directory = try await files()
            guard let script = dump.script else {
                return try await restored(request, of: dump, from: directory, in: run)
            }
            return try await ScriptDrill(
                script: directory.pushing(script), dump: dump, items: drill.items, server: server
            ).perform(in: run)
        }
    }

    /// Restores to a drill's server by what restores to a live one.
    func restored(
        _ request: RestoreRequest, of dump: Manifest.DumpRecord, from directory: FilePath, in run: RunContext
    ) async throws(DumpError) -> RestoreOutcome {
        let prepared = try await prepare(request, of: dump, reading: DumpDirectory(directory: directory), in: run)
        let outcome = await Result.awaiting { () async throws(DumpError) in
            var outcome = try await prepared.restore(from: directory, in: run)
            for finding in prepared.findings where !outcome.findings.contains(finding) {
                outcome.findings.append(finding)
            }
            return outcome
        }
        await prepared.close()
        return try outcome.get()
    }
}
