import Catalog
import DumpCore
import Linux
import Logging
import Reporting
import Staging
import SystemPackage

/// Puts back what a set holds: all of it, some databases, a table, a directory.
///
///     undo leftovers → prepare all → gate → fetch and verify → restore → compare → give names → report
///
/// It goes by the set's own manifest, and needs no job file. What is restored gets its name once it was compared with the manifest.
public struct Restore: Sendable {
    let source: RestoreSource
    let choice: RestoreChoice
    let means: RestoreMeans
    /// Only say what would be done.
    let isRehearsal: Bool

    public init(
        of choice: RestoreChoice, from source: RestoreSource, by means: RestoreMeans, isRehearsal: Bool = false
    ) {
        (self.choice, self.source, self.means, self.isRehearsal) = (choice, source, means, isRehearsal)
    }

    /// Throws errors for the operator only. What was there before is then as it was.
    public func perform() async throws -> RestoreReport {
        let run = RunID(start: .now)
        var report = RestoreReport(of: source, run: run)
        try await means.undoLeftovers()
        let prepared = try await prepareAll(run)
        return try await withCleanup {
            try requireReady(prepared)
            report.plan = prepared.flatMap(\.restore.plan)
            report.findings = prepared.flatMap(\.restore.findings)
            if !isRehearsal { try await restore(prepared, run, &report) }
            report.endedAt = .now
            return report
        } cleanup: {
            means.display.show([])
            for dump in prepared { await dump.restore.close() }
        }
    }

    private func prepareAll(_ run: RunID) async throws -> [PreparedDump] {
        var prepared: [PreparedDump] = []
        do {
            for (dump, request) in try choice.shares(of: source.manifest) {
                let context = context(of: dump, run, request)
                prepared.append(
                    PreparedDump(
                        dump: dump, context: context,
                        restore: try await means.restorers.restorer(of: dump).prepare(
                            request, of: dump, reading: source.files(of: dump), in: context)))
            }
        } catch {
            for dump in prepared { await dump.restore.close() }
            throw error
        }
        return prepared
    }

    /// Throws with all that stands in the way, before anything is fetched or made.
    private func requireReady(_ prepared: [PreparedDump]) throws(DumpError) {
        let findings = prepared.flatMap(\.restore.findings)
        for finding in findings where finding.severity == .warning { means.log.tell(finding) }
        if let error = DumpError(standingInTheWay: findings) { throw error }
    }

    private func restore(
        _ prepared: [PreparedDump], _ run: RunID, _ report: inout RestoreReport
    ) async throws {
        report.dumps = try await means.area.withRoom(of: "muster restore", for: run, in: base(prepared)) { room in
            try await means.area.noteKept(by: prepared, run)
            let (set, fetched) = try await source.fetch(
                prepared.flatMap(\.parts), into: room, by: means)
            report.fetched = fetched
            StopPoint.passing("restore.fetched")
            var dumps: [RestoreReport.Dump] = []
            for dump in prepared { dumps.append(try await dump.restored(from: set)) }
            return dumps
        }
    }

    /// Beside a tree that is to be restored, where it is moved into place and not written a second time.
    private func base(_ prepared: [PreparedDump]) -> FilePath? {
        if let base = means.base { return base }
        guard prepared.allSatisfy({ $0.dump.tree != nil }), let place = prepared.first?.restore.plan.first else {
            return nil
        }
        return FilePath(place.name).removingLastComponent()
    }

    private func context(of dump: Manifest.DumpRecord, _ run: RunID, _ request: RestoreRequest) -> RunContext {
        let units = max(1, request.items.isEmpty ? dump.databases.count : request.items.count)
        return means.context(
            of: dump.name, run,
            turns: RunContext.Turns(
                slots: WorkSlots(capacity: request.jobs), jobsPerUnit: max(1, request.jobs / units)))
    }
}

/// One dump of the set, ready to be restored.
struct PreparedDump: Sendable {
    let dump: Manifest.DumpRecord
    let context: RunContext
    let restore: any PreparedRestore

    /// What has to be fetched for it.
    var parts: [SetPart] { dump.parts(at: restore.parts) }

    func restored(from set: FetchedSet) async throws -> RestoreReport.Dump {
        if let account = restore.reader.flatMap(UserAccount.init(named:)) {
            try await set.makeReadable(dump, by: account)
        }
        do {
            let outcome = try await restore.restore(from: set.directory(of: dump), in: context)
            return RestoreReport.Dump(name: dump.name, provider: dump.provider, outcome: outcome)
        } catch {
            throw error.ofDump(dump.name)
        }
    }
}

extension Logger {
    fileprivate func tell(_ finding: Finding) {
        warning("\(finding.message)", metadata: ["object": "\(finding.object)", "code": "\(finding.code)"])
    }
}
