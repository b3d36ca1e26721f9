import Conformance
import DumpCore
import Linux
import Settings
import SystemPackage
import TestSupport

@testable import Plugins

extension PluginHost {
    /// With the defaults of its settings, as a job file gives them.
    static func standard(_ name: String, _ values: [String: PlainValue] = [:]) throws -> PluginHost {
        var host = try PluginHost(name)
        for (name, property) in host.plugin.description.settings.properties.map({ ($0.name, $0.property) }) {
            guard let standard = property.standard else { continue }
            var mistakes = Diagnostics()
            host.values[name] = property.value.read(SettingsNode(of: standard), &mistakes)
        }
        host.values.merge(values) { $1 }
        return host
    }

    /// The findings and omissions of prepare, each as its severity, code and message.
    func findings() async throws -> [String] {
        try await TestRun().prepared(provider()) { source in
            (source.findings + source.omissions).map { "\($0.severity) \($0.code): \($0.message)" }
        }
    }

    func taken(in scratch: FilePath, _ name: String = "dump", slots: Int = 2) async throws -> Taken {
        try await dump(into: scratch.appending(name), TestRun(slots: slots, journal: journal))
    }

    /// The error of a dump whose source changes after its freeze; nil if there is none.
    func errorOfDump(in scratch: FilePath, changing change: () async throws -> Void) async throws -> DumpError? {
        let directory = scratch.appending("broken")
        try FileSystem.createDirectory(directory)
        defer { try? FileTree(directory).remove() }
        let run = TestRun()
        var context = run.context
        context.directory = directory
        return try await run.prepared(provider()) { source in
            let frozen = try await source.freeze(in: context)
            let outcome: Result<DumpSummary, any Error>
            do {
                try await change()
                outcome = .success(try await frozen.dump(into: directory, in: context))
            } catch {
                outcome = .failure(error)
            }
            await frozen.release()
            do { _ = try outcome.get() } catch let error as DumpError { return error }
            return nil
        }
    }

    /// Throws for a finding that keeps a restore from beginning.
    func restored(_ dump: Taken, _ change: (inout RestoreRequest) -> Void) async throws -> RestoreOutcome {
        var request = RestoreRequest()
        change(&request)
        let run = TestRun(journal: journal).context
        let prepared = try await restorer.prepare(request, of: dump.record, reading: NoFiles(), in: run)
        if let failure = prepared.findings.first(where: { $0.severity == .failure }) {
            throw DumpError(DumpError.Code(rawValue: failure.code), failure.message)
        }
        return try await prepared.restore(from: dump.directory, in: run)
    }
}

extension PluginHost.Taken {
    /// The value of a fact.
    func fact(_ name: String) -> String? { record.identity[name] }
}
