import Conformance
import DumpCore
import Linux
import Logging
import Processes
import Settings
import SystemPackage
import TestSupport
import Testing

@testable import Plugins

/// A plugin of this repository, the settings of a dump, and what it takes to restore one.
struct PluginHost: Sendable {
    static let directory = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()
        .appending("plugins")

    let plugin: Plugin
    var values: [String: PlainValue] = [:]
    var secrets: [String: SecretSource] = [:]
    var runAs: String?
    var journal = MemoryJournal()

    /// - Parameter directory: where it is, if elsewhere than in this checkout.
    init(_ name: String, _ values: [String: PlainValue] = [:], in directory: FilePath = Self.directory) throws {
        plugin = try Plugin(directory.appending(name))
        self.values = values
    }

    func provider(log: Logger = .silent) -> any Provider {
        var settings = PluginSettings()
        (settings.values, settings.secrets, settings.runAs) = (values, secrets, runAs)
        return PluginProvider(
            plugin: plugin, settings: settings,
            means: ProviderMeans(job: "nightly", runner: ProgramRunner(keeper: keeperExecutable, log: log)))
    }

    // MARK: Dumps

    struct Taken: Sendable {
        let plugin: String
        let directory: FilePath
        let summary: DumpSummary

        /// As the manifest has it.
        var record: Manifest.DumpRecord {
            Manifest.DumpRecord(
                name: "app", provider: plugin, path: "app",
                identity: Dictionary(uniqueKeysWithValues: summary.identity.map { ($0.name, $0.value) }),
                moment: summary.moment, durationSeconds: 0, bytes: 0, files: 0, findings: [], omissions: [],
                checksums: .init(path: "checksums/app.sha256", sha256: ""), databases: summary.databases)
        }
    }

    /// A dump as a run takes it, in a new directory.
    func dump(into directory: FilePath, _ run: TestRun? = nil) async throws -> Taken {
        try FileSystem.createDirectory(directory)
        let run = run ?? TestRun(journal: journal)
        let summary = try await run.dump(provider(log: run.context.log), into: directory)
        return Taken(plugin: plugin.name, directory: directory, summary: summary)
    }

    /// Why a dump fails: `code: message`. Its directory is gone afterwards, as a run sees to it.
    func failure(into directory: FilePath) async throws -> String? {
        defer { try? FileTree(directory).remove() }
        do {
            _ = try await dump(into: directory)
            return nil
        } catch let error as DumpError {
            return "\(error.code.rawValue): \(error.message)"
        }
    }

    // MARK: Restores

    var restorer: PluginRestorer {
        PluginRestorer(plugin: plugin, runner: ProgramRunner(keeper: keeperExecutable, log: .silent))
    }

    func prepared(
        _ dump: Taken, _ placement: RestoreRequest.Placement, _ items: [String] = [], to target: FilePath? = nil
    ) async throws -> any PreparedRestore {
        var request = RestoreRequest()
        (request.placement, request.items, request.target) = (placement, items, target?.string)
        return try await restorer.prepare(
            request, of: dump.record, reading: NoFiles(), in: TestRun(journal: journal).context)
    }

    /// Throws for a finding that keeps a restore from beginning.
    @discardableResult
    func restore(
        _ dump: Taken, _ placement: RestoreRequest.Placement, _ items: [String] = [], to target: FilePath? = nil
    ) async throws -> RestoreOutcome {
        let restore = try await prepared(dump, placement, items, to: target)
        if let failure = restore.findings.first(where: { $0.severity == .failure }) {
            throw DumpError(DumpError.Code(rawValue: failure.code), failure.message)
        }
        return try await restore.restore(from: dump.directory, in: TestRun(journal: journal).context)
    }

    /// A drill sees only what is in the system's own directories, so that the plugin is put there for as long as it runs.
    func drill(_ dump: Taken, of record: Manifest.DumpRecord? = nil, in room: FilePath) async throws -> RestoreOutcome {
        try FileSystem.createDirectory(room)
        let installed = FilePath("/opt/muster-test-\(UInt32.random(in: .min ... .max))")
        try await output("cp", "-r", Self.directory.string, installed.string)
        return try await withCleanup { cleanup in
            cleanup.append { try FileTree(installed).remove() }
            try await output("chmod", "-R", "a+rX", installed.string)
            let restorer = PluginRestorer(
                plugin: try Plugin(installed.appending(plugin.name)),
                runner: ProgramRunner(keeper: keeperExecutable, log: .silent))
            return try await restorer.drill(
                DrillRequest(), of: record ?? dump.record, from: dump.directory, in: room,
                TestRun(journal: journal).context)
        }
    }
}

/// A plugin goes by the manifest alone until it restores.
struct NoFiles: DumpFiles {
    func contents(of path: FilePath, limit: Int64) async throws(DumpError) -> [UInt8] {
        throw DumpError(.system, "no file of the dump is read")
    }
}

/// The message of what `body` throws.
func refusal(_ body: () async throws -> Void) async throws -> String? {
    do {
        try await body()
        return nil
    } catch let error as DumpError {
        return "\(error.code.rawValue): \(error.message)"
    }
}
