import DumpCore
import Linux
import Processes
import SystemPackage

/// Puts back dumps of a plugin, by its verb `restore`. It goes by the dump and the manifest alone: there are no settings, and no secrets.
struct PluginRestorer: Restorer {
    let plugin: Plugin
    let runner: ProgramRunner

    /// Check that a restore would succeed.
    private static let checking = Duration.seconds(300)

    var undoneKinds: Set<String> { [PluginChange.kind(of: plugin.name)] }

    func prepare(
        _ request: RestoreRequest, of dump: Manifest.DumpRecord, reading files: any DumpFiles, in run: RunContext
    ) async throws(DumpError) -> any PreparedRestore {
        try request.requireOfPlugin(plugin.name)
        let document = RestoreDocument(.check, request, of: dump, run: run.runID)
        let said = try await perform(document, for: dump, in: nil, run, within: Self.checking)
        if !said.stopsRestore {
            try RestoreReview(plugin.name, request.items, of: dump)
                .require(said.plans.map(\.item), "would restore", besides: said.omissions)
            try requirePlan(said)
        }
        return PreparedPluginRestore(restorer: self, request: request, dump: dump, said: said)
    }

    func drill(
        _ drill: DrillRequest, of dump: Manifest.DumpRecord, from directory: FilePath, in room: FilePath,
        _ run: RunContext
    ) async throws(DumpError) -> RestoreOutcome {
        let place = try await PluginDrillRoom.make(in: room, holding: directory, for: plugin, drill, runner: runner)
        let document = RestoreDocument(drill, of: dump, in: place.insidePath, jobs: drill.jobs, run: run.runID)
        let files = try await UnchangedFiles(in: place.path.appending("dump"))
        let began = ContinuousClock.now
        let said = try await perform(document, for: dump, in: place, run)
        try await files.require(of: plugin.name)
        let review = RestoreReview(plugin.name, drill.items, of: dump)
        var outcome = try outcome(said, by: review, isProof: true, since: began)
        outcome.findings += place.findings + drill.unanswered(of: dump, by: plugin.name)
        if !drill.keepsCopy { try await place.remove() }
        return outcome
    }

    func guide(to request: RestoreRequest, of dump: Manifest.DumpRecord) -> [String] {
        [
            "# Dump '\(dump.name)' is of plugin '\(plugin.name)'. Its files are in \(dump.path.asShellWord).",
            "less \(plugin.directory.appending("README.md").string.asShellWord)   # says how to restore them by plain tools",
        ]
    }

    func undo(_ record: UndoRecord, in run: RunContext) async throws(DumpError) {
        guard record.kind == PluginChange.kind(of: plugin.name) else { throw DumpError(unknown: record) }
        try await undo(PluginChange(of: record), in: run)
    }

    // MARK: One process

    private func call(_ verb: PluginDescription.Verb, in run: RunContext, jobs: Int = 1) -> PluginCall {
        var call = PluginCall(plugin: plugin, verb: verb)
        call.names = ["MUSTER_DUMP": run.dump, "MUSTER_RUN": run.runID.description, "MUSTER_JOBS": "\(jobs)"]
        return call
    }

    /// - Parameter directory: with the dump's files, unless it is only looked at.
    func perform(
        _ document: RestoreDocument, for dump: Manifest.DumpRecord, in directory: FilePath?, _ run: RunContext,
        within limit: Duration? = nil
    ) async throws(DumpError) -> PluginTranscript {
        var call = call(.restore, in: run, jobs: document.jobs)
        call.document = ("MUSTER_RESTORE", try document.text)
        call.directory = directory
        return try await PluginProcess.perform(call, by: runner, in: run, within: limit, undo: undo)
    }

    private func perform(
        _ document: RestoreDocument, for dump: Manifest.DumpRecord, in place: PluginDrillRoom, _ run: RunContext
    ) async throws(DumpError) -> PluginTranscript {
        var call = call(.restore, in: run, jobs: document.jobs)
        call.document = ("MUSTER_RESTORE", try document.text)
        (call.user, call.isolation) = (place.identity.user, place.identity.isolation)
        call.place = FilePath(place.insidePath).pushing(place.program)
        if place.identity.isolation == nil { call.directory = place.path }
        return try await PluginProcess.perform(call, by: runner, in: run)
    }

    @Sendable private func undo(_ change: PluginChange, in run: RunContext) async throws(DumpError) {
        try await PluginProcess.undo(change, by: call(.undo, in: run), runner, in: run)
    }

    /// What was restored: all that was to be, compared with the dump.
    ///
    /// - Parameters:
    ///   - omissions: what the check said that the restore leaves out.
    ///   - isProof: nothing may be left out or not compared.
    func outcome(
        _ said: PluginTranscript, by review: RestoreReview, besides omissions: [Finding] = [], isProof: Bool,
        since began: ContinuousClock.Instant
    ) throws(DumpError) -> RestoreOutcome {
        guard !said.restored.isEmpty else {
            throw DumpError(
                .notRestored, "plugin '\(plugin.name)' ended well and did not say what it has restored",
                hint: DumpError.faultOfPlugin)
        }
        let findings = said.findings + said.omissions
        if let failure = findings.first(where: { $0.severity == .failure }) {
            throw DumpError(DumpError.Code(rawValue: failure.code), failure.message, hint: failure.hint)
        }
        try review.require(
            said.restored.map(\.item), "restored", besides: isProof ? [] : omissions + said.omissions)
        for item in said.restored { try review.require(comparisonOf: item, isProof: isProof) }
        let seconds = (ContinuousClock.now - began) / .seconds(1) / Double(said.restored.count)
        let items = said.restored.map { item in
            var item = item
            item.durationSeconds = seconds
            return item
        }
        let identity = Dictionary(said.facts.map { ($0.name, $0.value) }) { first, _ in first }
        return RestoreOutcome(items: items, findings: findings, identity: identity)
    }

    private func requirePlan(_ said: PluginTranscript) throws(DumpError) {
        guard said.plans.isEmpty else { return }
        throw DumpError(
            .notRestored, "plugin '\(plugin.name)' ended well and did not say what it would restore",
            hint: DumpError.faultOfPlugin)
    }
}

/// A restore that a plugin has checked.
struct PreparedPluginRestore: PreparedRestore {
    let restorer: PluginRestorer
    let request: RestoreRequest
    let dump: Manifest.DumpRecord
    let said: PluginTranscript

    var facts: ErrorContext { said.facts }
    var findings: [Finding] { (said.findings + said.omissions).sorted { $0.severity > $1.severity } }
    var plan: [RestorePlan] { said.plans }

    func restore(from directory: FilePath, in run: RunContext) async throws(DumpError) -> RestoreOutcome {
        let began = ContinuousClock.now
        let document = RestoreDocument(.restore, request, of: dump, run: run.runID)
        let files = try await UnchangedFiles(in: directory)
        let restored = try await restorer.perform(document, for: dump, in: directory, run)
        try await files.require(of: restorer.plugin.name)
        let outcome = try restorer.outcome(
            restored, by: RestoreReview(restorer.plugin.name, request.items, of: dump), besides: said.omissions,
            isProof: false, since: began)
        if let difference = outcome.items.lazy.flatMap(\.comparison.differences).first {
            throw DumpError(
                .notRestored, "what was restored is not what was dumped: \(difference)",
                hint: "Look at \(outcome.items.map(\.name).joined(separator: ", ")), and restore an older archive.")
        }
        return outcome
    }
}

extension PluginTranscript {
    /// Whether a failure was found that keeps a restore from beginning.
    fileprivate var stopsRestore: Bool { (findings + omissions).contains { $0.severity == .failure } }
}

extension RestoreRequest {
    /// Throws for what the protocol has no words for.
    fileprivate func requireOfPlugin(_ plugin: String) throws(DumpError) {
        guard !pieces.isEmpty || schema != nil || rowsOnly else { return }
        throw DumpError(
            .settings, "a dump of plugin '\(plugin)' has no single tables to restore",
            hint: "Leave out --table, --schema and --rows-only.")
    }
}

extension DrillRequest {
    fileprivate func unanswered(of dump: Manifest.DumpRecord, by plugin: String) -> [Finding] {
        guard !assertions.isEmpty || !freshness.isEmpty else { return [] }
        return [
            Finding(
                .warning, "not_asked", object: dump.name,
                "plugin '\(plugin)' answers no statements: they were not asked",
                hint: "Ask them of a dump of databases.")
        ]
    }
}
