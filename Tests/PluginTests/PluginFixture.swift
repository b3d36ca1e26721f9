import Conformance
import DumpCore
import Linux
import Logging
import Processes
import Settings
import SystemPackage
import TestSupport

@testable import Plugins

/// A plugin that a test writes, and what becomes of its dumps.
struct PluginFixture: Sendable {
    let scratch: FilePath
    let plugin: Plugin

    /// The plugins that `plugins/README.md` shows.
    static let examples = FilePath(#filePath).removingLastComponent().appending("Examples")

    /// A plugin in sh, with the events on descriptor 5 and functions for those that all need.
    ///
    /// - Parameters:
    ///   - dump: what it does as `dump`, in the directory to fill.
    ///   - members: of its description, before the others.
    init(
        in scratch: FilePath, _ dump: String, prepare: String = "unit data; done_", freeze: String = "none",
        members: String = "", verbs: String = #""prepare", "dump""#, others: String = ""
    ) throws {
        self.scratch = scratch
        let directory = scratch.appending("trial")
        try FileSystem.createDirectory(directory)
        try write(
            """
            {"protocol": 1, "name": "trial", "version": "1", "summary": "A trial.", "verbs": [\(verbs)], \(members)
             "freeze": "\(freeze)"}
            """, to: directory.appending("plugin.json"), mode: 0o644)
        try write(
            """
            #!/bin/sh
            exec 5>&1 1>&2
            say() { printf '%s\\n' "$1" >&5; }
            unit() { say "{\\"event\\": \\"unit\\", \\"name\\": \\"$1\\", \\"path\\": \\"$1\\", \\"bytes\\": 10}"; }
            done_() { say '{"event": "summary", "consistency": "live"}'; }
            case $1 in
            prepare) \(prepare);;
            dump) \(dump);;
            \(others)
            esac
            """, to: directory.appending("trial"), mode: 0o755)
        plugin = try Plugin(directory)
    }

    func provider(_ settings: PluginSettings = PluginSettings(), log: Logger = .silent) -> PluginProvider {
        PluginProvider(
            plugin: plugin, settings: settings,
            means: ProviderMeans(job: "nightly", runner: ProgramRunner(keeper: keeperExecutable, log: log)))
    }

    /// The error of a dump, which must be one.
    func error(_ settings: PluginSettings = PluginSettings(), deadline: Duration? = nil) async throws -> DumpError? {
        do {
            _ = try await dump(settings, run: TestRun(deadline: deadline))
            return nil
        } catch let error as DumpError {
            return error
        }
    }

    @discardableResult
    func dump(_ settings: PluginSettings = PluginSettings(), run: TestRun = TestRun()) async throws -> DumpSummary {
        let directory = scratch.appending("dump")
        try FileSystem.createDirectory(directory)
        return try await run.dump(provider(settings, log: run.context.log), into: directory)
    }
}

func write(_ text: String, to path: FilePath, mode: UInt32) throws {
    try TestSupport.write(text, to: path, mode: FilePermissions(rawValue: mode))
}
