import DumpCore
import Linux
import Staging
import SystemPackage
import TestSupport
import Testing

@testable import Jobs
@testable import Pipeline

@Suite("The freeze of a job with several dumps")
struct JobFreezeTests {
    @Test(
        "is of all dumps at once, after all are prepared and before the first is dumped, and recorded from first to last"
    )
    func together() async throws {
        try await withScratch { scratch in
            let story = Recorded<String>()
            let sources = ["a", "b", "c"].map { name in
                ReadyJob.Source(
                    name: name, kind: "meeting", provider: MeetingProvider(name: name, parties: 3, story: story))
            }
            let job = ReadyJob(
                name: "nightly", host: "here", staging: scratch.appending("staging"), parallel: 1, sources: sources)
            let run = Run(job, tool: .init(name: "test", version: "0"), log: .silent)
            let ended = await run.perform(.dump)
            #expect(ended.report.exitStatus == 0, "\(String(describing: ended.report.error))")

            let steps = story.all.map { $0.split(separator: " ")[0] }
            #expect(
                steps == Array(repeating: "prepare", count: 3) + Array(repeating: "freeze", count: 3)
                    + Array(repeating: "dump", count: 3))
            let area = try #require(try await StagingArea.openExisting(job.staging))
            let manifest = try #require(try await area.currentSet()).manifest
            #expect(manifest.freeze.from == manifest.dumps.map(\.moment.from).min())
            #expect(manifest.freeze.to == manifest.dumps.map(\.moment.to).max())
            #expect(manifest.freeze.from < manifest.freeze.to)
        }
    }
}

/// A provider whose freeze ends only when those of all the others have begun: one after the other, they would wait for ever.
private struct MeetingProvider: Provider, PreparedSource, FrozenSource {
    let name: String
    let parties: Int
    let story: Recorded<String>

    var facts: ErrorContext { [:] }
    var findings: [Finding] { [] }
    var omissions: [Finding] { [] }
    var units: [WorkUnit] { [WorkUnit(name: name, path: "file", estimatedBytes: 1)] }

    func prepare(in run: RunContext) async throws(DumpError) -> any PreparedSource {
        story.append("prepare \(name)")
        return self
    }

    func freeze(in run: RunContext) async throws(DumpError) -> any FrozenSource {
        story.append("freeze \(name)")
        for _ in 0..<1000 where story.all.count(where: { $0.hasPrefix("freeze") }) < parties {
            do { try await Task.sleep(for: .milliseconds(10)) } catch { throw DumpError(.cancelled, "cancelled") }
        }
        guard story.all.count(where: { $0.hasPrefix("freeze") }) == parties else {
            throw DumpError(.system, "the others were not frozen meanwhile")
        }
        return self
    }

    func dump(into directory: FilePath, in run: RunContext) async throws(DumpError) -> DumpSummary {
        story.append("dump \(name)")
        let offset = Int64(name.utf8.first!) * 10
        do { try write(name, to: directory.appending("file")) } catch { throw DumpError(.system, "\(error)") }
        let from = Timestamp(milliseconds: 1_700_000_000_000 + offset)
        return DumpSummary(
            identity: facts, moment: Moment(.exact, from: from, to: Timestamp(milliseconds: from.milliseconds + 5)))
    }

    func release() async {}
    func close() async {}
}
