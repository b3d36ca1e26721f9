import SystemPackage

/// A provider as a run drives it, with what holds for every dump. It ends within its deadline or is stopped, a run that is stopped is
/// an error that says so, and every error names the dump.
public struct SupervisedProvider: Provider {
    private let provider: any Provider

    public init(_ provider: any Provider) { self.provider = provider }

    public func prepare(in run: RunContext) async throws(DumpError) -> any PreparedSource {
        do {
            return SupervisedSource(source: try await provider.prepare(in: run))
        } catch {
            throw error.ofDump(run.dump)
        }
    }
}

private struct SupervisedSource: PreparedSource {
    let source: any PreparedSource

    var facts: ErrorContext { source.facts }
    var findings: [Finding] { source.findings }
    var omissions: [Finding] { source.omissions }
    var units: [WorkUnit] { source.units }

    func freeze(in run: RunContext) async throws(DumpError) -> any FrozenSource {
        do {
            return SupervisedDump(source: try await source.freeze(in: run))
        } catch {
            throw error.ofDump(run.dump)
        }
    }

    func close() async { await source.close() }
}

private struct SupervisedDump: FrozenSource {
    let source: any FrozenSource

    var isReadInPlace: Bool { source.isReadInPlace }

    func dump(into directory: FilePath, in run: RunContext) async throws(DumpError) -> DumpSummary {
        do {
            return try await run.withinDeadline("the dump") { try await source.dump(into: directory, in: run) }
        } catch {
            throw await source.explained(error, in: directory).ofDump(run.dump)
        }
    }

    func release() async { await source.release() }
}
