import Conformance
import DumpCore
import Glibc
import Linux
import Plugins
import Processes
import Settings
import SystemPackage

/// What holds of plugins besides what holds of every provider: they undo what they change, and restore what they dump.
enum PluginClaim: String, CaseIterable {
    case stopped = "A dump that is stopped leaves the source as it was"
    case killed = "A dump whose program is killed leaves the source as it was"
    case undo = "What a dump has undone can be undone again, which changes nothing"
    case restore = "What was dumped can be restored: a drill proves it"

    /// - Parameter scratch: an empty directory that the claim may fill.
    func outcome(of trial: PluginTrial, in scratch: FilePath) async -> ClaimOutcome {
        let check = PluginCheck(trial: trial, scratch: scratch)
        do {
            let faults =
                switch self {
                case .stopped: try await check.afterStop { $0.cancel() }
                case .killed: try await check.afterStop { _ in check.killProgram() }
                case .undo: try await check.undoAgain()
                case .restore: try await check.drill()
                }
            return faults.isEmpty ? .passed : .failed(faults)
        } catch let lack as NotApplicable {
            return .notApplicable(lack.why)
        } catch {
            return .failed(["this was thrown: \(error)"])
        }
    }
}

/// One claim's check of a plugin. Each function returns what does not hold.
private struct PluginCheck: Sendable {
    let trial: PluginTrial
    let scratch: FilePath
    let journal = MemoryJournal()
    let run: TestRun

    init(trial: PluginTrial, scratch: FilePath) {
        (self.trial, self.scratch) = (trial, scratch)
        run = TestRun(slots: 1, journal: journal)
    }

    private var provider: any Provider { trial.provider(log: run.context.log) }

    private func newDirectory(_ name: String) throws -> FilePath {
        let directory = scratch.appending(name)
        try FileSystem.createDirectory(directory)
        return directory
    }

    // MARK: Stopping

    /// Ends a dump that is held up, and looks at the source once it no longer is.
    func afterStop(_ end: @escaping (Task<Void, any Error>) -> Void) async throws -> [String] {
        // What another claim has left does not excuse this one.
        let now = try await trial.fingerprint()
        guard trial.hold != nil, let before = trial.untouched ?? now else {
            throw NotApplicable("nothing shows what a dump that ends early leaves: give --hold and --fingerprint")
        }
        let directory = try newDirectory("dump")
        var faults: [String] = []
        try await trial.whileHeldUp {
            // What holds it up may show in the source.
            let held = try await trial.fingerprint()
            let dump = Task { _ = try await run.dump(provider, into: directory) }
            try await untilAtWork(on: held)
            end(dump)
            if case .success = await dump.result { faults.append("the dump throws nothing") }
        }
        faults += journal.open.map { "a change was not undone, and is still on record: \($0.kind)" }
        if let after = try await fingerprint(unlike: before) {
            faults.append("the source was changed:\n\(before)\n\(after)")
        }
        return faults
    }

    /// Until a unit begins, or the source is no longer as it was. What shows neither has ten seconds to do something.
    /// A change on record is not enough: the plugin makes it only after it was told so.
    private func untilAtWork(on held: String?) async throws {
        for _ in 0..<1000 where !run.events.all.contains(where: \.isBegin) {
            if !journal.all.isEmpty, try await trial.fingerprint() != held { return }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    /// Nil once the source is as it was, which a server may notice a moment later.
    private func fingerprint(unlike before: String) async throws -> String? {
        var after = try await trial.fingerprint()
        for _ in 0..<30 where after != before {
            try await Task.sleep(for: .milliseconds(100))
            after = try await trial.fingerprint()
        }
        return after == before ? nil : after ?? ""
    }

    /// Ends all that the dump's process is, but for its keeper: as if it had crashed.
    func killProgram() { RunningPlugin.killAll(of: run.context.runID) }

    // MARK: Undoing

    func undoAgain() async throws -> [String] {
        let before = try await trial.fingerprint()
        let provider = provider
        try await run.dump(provider, into: try newDirectory("dump"))
        guard !journal.all.isEmpty else { throw NotApplicable("a dump changes nothing that would have to be undone") }
        guard let undoing = provider as? any UndoingProvider else { throw NotApplicable("it undoes nothing") }
        for record in journal.all {
            for _ in 1...2 { try await undoing.undo(record, in: run.context) }
        }
        guard let before, let after = try await fingerprint(unlike: before) else { return [] }
        return ["the source was changed:\n\(before)\n\(after)"]
    }

    // MARK: Restoring

    func drill() async throws -> [String] {
        guard let restorer = ProviderKind(plugin: trial.plugin).restorer?(trial.runner) else {
            throw NotApplicable("the plugin does not have the verb 'restore'")
        }
        let directory = try newDirectory("dump")
        let summary = try await run.dump(provider, into: directory)
        // A user who owns nothing must find its way into the room.
        for path in [scratch, try newDirectory("room")] { chmod(path.string, 0o711) }
        let outcome = try await restorer.drill(
            DrillRequest(), of: record(summary, directory), from: directory, in: scratch.appending("room"), run.context)
        return outcome.items.flatMap { item in
            item.comparison.differences.map { "\(item.item) differs: \($0)" }
        }
    }

    private func record(_ summary: DumpSummary, _ directory: FilePath) throws -> Manifest.DumpRecord {
        let files = try FileTree(directory).entries().filter { $0.status.kind == .file }
        return Manifest.DumpRecord(
            name: run.context.dump, provider: trial.plugin.name, path: run.context.dump,
            identity: Dictionary(summary.identity.map { ($0.name, $0.value) }) { $1 }, moment: summary.moment,
            durationSeconds: 0, bytes: FileTree(directory).bytes(), files: files.count, findings: summary.findings,
            omissions: summary.omissions, checksums: .init(path: "", sha256: ""), databases: summary.databases)
    }
}
