import DumpCore
import TestSupport
import Testing

@testable import Pipeline
@testable import Reporting

@Suite("An observer of a run")
struct ObserverTests {
    @Test("hears of it once it is on record and once its result is, and what it finds is put on record once")
    func twice() async throws {
        try await SizeFixture.with { fixture in
            let heard = Recorded<[RunReport.Outcome]>()
            let finding = Finding(.warning, "a_warning", object: "x", "something beside")
            let run = Run(
                fixture.job(10), tool: .init(name: "test", version: "0"),
                observer: { report in
                    // What is on record then is what it hears.
                    let stored = try? await JobStatus(job: "nightly", staging: fixture.area.root).runs.map(\.outcome)
                    heard.append([report.outcome] + (stored ?? []))
                    return [finding]
                }, log: .silent)
            let ended = await run.perform(.dump)
            #expect(heard.all == [[.running, .running], [.done, .done]])
            #expect(ended.report.findings == [finding])
            let stored = try await JobStatus(job: "nightly", staging: fixture.area.root).runs
            #expect(stored.map(\.findings) == [[finding]])
        }
    }

    @Test("of one that fails hears that it failed, and the report has the time of each stage that was reached")
    func stages() async throws {
        try await SizeFixture.with { fixture in
            let good = await fixture.run(10).perform(.dump).report
            let stages = try #require(good.stages)
            #expect(stages.prepareSeconds != nil && stages.dumpSeconds != nil && stages.sealSeconds != nil)
            #expect(stages.archiveSeconds == nil)
            try await fixture.remember(1 << 40, 1 << 40, 1 << 40)
            let heard = Recorded<RunReport.Outcome>()
            let run = Run(
                fixture.job(10, AnomalyRule(.fail)), tool: .init(name: "test", version: "0"),
                observer: { report in
                    heard.append(report.outcome)
                    return []
                }, log: .silent)
            let failed = await run.perform(.dump).report
            #expect(heard.all == [.running, .failed])
            #expect(failed.stages?.dumpSeconds != nil && failed.stages?.sealSeconds == nil)
            #expect(failed.findings == nil)
        }
    }
}
