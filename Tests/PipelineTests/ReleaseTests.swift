import DumpCore
import Linux
import Staging
import SystemPackage
import TestSupport
import Testing

@testable import Jobs
@testable import Pipeline

@Suite("A source that was frozen")
struct ReleaseTests {
    /// What happens to one of two dumps.
    enum Fate: String, CaseIterable, CustomTestStringConvertible {
        case succeeds = "a dump succeeds"
        case fails = "a dump fails"
        case cannotBeFrozen = "another cannot be frozen"
        case isCancelled = "the run is cancelled"

        var testDescription: String { rawValue }
    }

    @Test("is released exactly once, and closed after that", arguments: Fate.allCases)
    func once(fate: Fate) async throws {
        try await withScratch { scratch in
            let story = Recorded<String>()
            let sources = [
                ReadyJob.Source(
                    name: "good", kind: "story", provider: StoryProvider(name: "good", fate: .succeeds, story: story)),
                ReadyJob.Source(
                    name: "other", kind: "story", provider: StoryProvider(name: "other", fate: fate, story: story)),
            ]
            let job = ReadyJob(
                name: "nightly", host: "here", staging: scratch.appending("staging"), parallel: 2, sources: sources)
            let run = Run(job, tool: .init(name: "test", version: "0"), log: .silent)
            let task = Task { await run.perform(.dump) }
            if fate == .isCancelled {
                try await eventually { story.all.contains("dump other") }
                task.cancel()
            }
            let ended = await task.value
            #expect((ended.report.exitStatus == 0) == (fate == .succeeds))
            for name in ["good", "other"] {
                let ends = story.all.filter { $0 == "release \(name)" || $0 == "close \(name)" }
                let isFrozen = story.all.contains("frozen \(name)")
                #expect(ends == (isFrozen ? ["release \(name)"] : []) + ["close \(name)"], "\(story.all)")
            }
            #expect(story.all.contains("frozen good"))
        }
    }
}

@Suite("What is kept for somebody's Borg")
struct KeptRecordTests {
    @Test("is what is on record of the kind of dump that it reads in place: all else is undone as ever")
    func kept() async throws {
        try await withScratch { scratch in
            let source = StoryProvider(name: "media", fate: .succeeds, story: Recorded())
            let job = ReadyJob(
                name: "nightly", host: "here", staging: scratch.appending("staging"), parallel: 2,
                sources: [
                    ReadyJob.Source(name: "media", kind: "story", provider: source),
                    ReadyJob.Source(name: "app", kind: "bytes", provider: BytesProvider(count: 1)),
                ])
            let run = Run(job, tool: .init(name: "test", version: "0"), log: .silent)
            let area = try await StagingArea.open(job.staging)
            for dump in ["media", "app", UndoRecord.job] {
                try await area.recordUndo(
                    UndoRecord(run: run.id, dump: dump, Made(), owner: .current))
            }
            let inPlace = SourcesInPlace()
            await inPlace.add(source, of: "media")
            try await run.keep(inPlace, in: area)
            #expect(try await area.allUndoRecords().filter { $0.isKept == true }.map(\.dump) == ["media"])
        }
    }
}

/// A side effect of which nothing more is known.
private struct Made: UndoFacts {
    let kind = "made"
    var recorded: [String: String] { [:] }
    init() {}
    init(of record: UndoRecord) throws(DumpError) {}
}

/// A provider that tells what is done with it.
private struct StoryProvider: Provider, PreparedSource, FrozenSource {
    let name: String
    let fate: ReleaseTests.Fate
    let story: Recorded<String>

    var facts: ErrorContext { [:] }
    var findings: [Finding] { [] }
    var omissions: [Finding] { [] }
    var units: [WorkUnit] { [WorkUnit(name: name, path: "file", estimatedBytes: 1)] }

    func prepare(in run: RunContext) async throws(DumpError) -> any PreparedSource { self }

    func freeze(in run: RunContext) async throws(DumpError) -> any FrozenSource {
        guard fate != .cannotBeFrozen else {
            // The other one is frozen by then.
            while !story.all.contains("frozen good") { await Task.yield() }
            throw DumpError(.system, "it cannot be frozen")
        }
        story.append("frozen \(name)")
        return self
    }

    func dump(into directory: FilePath, in run: RunContext) async throws(DumpError) -> DumpSummary {
        story.append("dump \(name)")
        switch fate {
        case .fails: throw DumpError(.system, "it cannot be dumped")
        case .isCancelled:
            do { try await Task.sleep(for: .seconds(600)) } catch { throw DumpError(.cancelled, "cancelled") }
        case .succeeds, .cannotBeFrozen: break
        }
        do { try write(name, to: directory.appending("file")) } catch { throw DumpError(.system, "\(error)") }
        return DumpSummary(identity: facts, moment: Moment(.live, from: .now, to: .now))
    }

    func release() async { story.append("release \(name)") }
    func close() async { story.append("close \(name)") }
}
