import DumpCore
import SystemPackage
import TestSupport

/// A provider that knows nothing of what the pipeline does with sizes: its dump is one file of so many bytes.
struct BytesProvider: Provider, PreparedSource, FrozenSource {
    let count: Int

    var facts: ErrorContext { ["bytes": "\(count)"] }
    var findings: [Finding] { [] }
    var omissions: [Finding] { [] }
    var units: [WorkUnit] { [WorkUnit(name: "bytes", path: "bytes", estimatedBytes: Int64(count))] }

    func prepare(in run: RunContext) async throws(DumpError) -> any PreparedSource { self }
    func freeze(in run: RunContext) async throws(DumpError) -> any FrozenSource { self }

    func dump(into directory: FilePath, in run: RunContext) async throws(DumpError) -> DumpSummary {
        do {
            try write(String(repeating: "x", count: count), to: directory.appending("bytes"))
        } catch {
            throw DumpError(.system, "cannot write: \(error)")
        }
        return DumpSummary(identity: facts, moment: Moment(.live, from: .now, to: .now))
    }

    func release() async {}
    func close() async {}
}
