import DumpCore
import Linux
import Pipeline
import Staging
import TestSupport
import Testing

@testable import Reporting

@Suite("A dump whose size is out of the ordinary")
struct SizeTests {
    @Test("is warned of in report and manifest, and published")
    func warned() async throws {
        try await SizeFixture.with { job in
            try await job.remember(1000)
            let ended = await job.run(499).perform(.dump)
            #expect(ended.failure == nil)
            let expected = Finding(
                .warning, "size_shrank", object: "app", "dump 'app' has shrunk to 499 B: it was 1000 B",
                hint: "Check whether something is missing at its source. If the size is right, run once with "
                    + "--accept-sizes.")
            #expect(ended.report.dumps[0].findings == [expected])
            #expect(ended.report.dumps[0].bytes == 499)
            #expect(try await job.area.currentSet()?.manifest.dumps[0].findings == [expected])
        }
    }

    @Test("fails the run if the job says so: the published set is untouched, and nothing is left of the new one")
    func failed() async throws {
        try await SizeFixture.with { job in
            #expect(await job.run(1000).perform(.dump).failure == nil)
            let before = try job.currentFingerprint()
            let ended = await job.run(499, AnomalyRule(.fail)).perform(.run)
            guard case .dump(let error) = ended.failure else {
                Issue.record("\(String(describing: ended.failure))")
                return
            }
            #expect(
                error.description == """
                    dump 'app' has shrunk to 499 B: it was 1000 B
                      dump: app
                      hint: Check whether something is missing at its source. If the size is right, run once with \
                    --accept-sizes.
                    """)
            #expect(error.codeName == "size_shrank")
            #expect(ended.report.exitStatus == 3)
            #expect(ended.report.dumps[0].findings.map(\.severity) == [.failure])
            #expect(ended.report.set == nil, "it was not even sealed")
            #expect(try job.currentFingerprint() == before)
            #expect(try FileSystem.names(in: job.area.root.appending("incoming")).isEmpty)
            // What failed is no measure: the same size fails again, the usual one does not.
            #expect(await job.run(499, AnomalyRule(.fail)).perform(.dump).report.exitStatus == 3)
            #expect(await job.run(500, AnomalyRule(.fail)).perform(.dump).failure == nil)
        }
    }

    @Test("is one beyond the limits of the job, of which the upper one is off unless it is set")
    func limits() async throws {
        func codes(_ bytes: Int, _ rule: AnomalyRule) async throws -> [String] {
            var found: [String] = []
            try await SizeFixture.with { job in
                try await job.remember(1000)
                found = await job.codes(bytes, rule)
            }
            return found
        }
        #expect(try await codes(500, AnomalyRule()) == [])
        #expect(try await codes(100_000, AnomalyRule()) == [])
        #expect(try await codes(899, AnomalyRule(belowPercent: 90)) == ["size_shrank"])
        #expect(try await codes(0, AnomalyRule(belowPercent: 0)) == [])
        #expect(try await codes(0, AnomalyRule(.ignore, abovePercent: 100)) == [])
        #expect(try await codes(2000, AnomalyRule(abovePercent: 200)) == [])
        #expect(try await codes(2001, AnomalyRule(abovePercent: 200)) == ["size_grew"])
    }

    @Test("is measured by the median of the last five good runs of a dump of that name and kind")
    func measure() async throws {
        try await SizeFixture.with { job in
            try await job.remember(9000, 9000, 9000)
            try await job.remember(100, 1000, 1000, 200, 5000)
            try await job.remember(9000, 9000, 9000, exitStatus: 3)
            try await job.remember(9000, 9000, provider: "another")
            #expect(try await RunHistory(of: job.area.root).sizes(of: "app", "bytes") == [5000, 200, 1000, 1000, 100])
            let ended = await job.run(499).perform(.dump)
            #expect(
                ended.report.dumps[0].findings.map(\.message) == [
                    "dump 'app' has shrunk to 499 B: the median of the last 5 runs is 1000 B"
                ])
        }
    }

    @Test("A run that only Borg failed in is a measure, and without any run nothing is out of the ordinary")
    func firstRuns() async throws {
        try await SizeFixture.with { job in
            #expect(await job.codes(10) == [])
        }
        try await SizeFixture.with { job in
            try await job.remember(1000, exitStatus: 4)
            #expect(await job.codes(10) == ["size_shrank"])
        }
    }

    @Test("A run whose sizes were accepted passes, and is the only measure from then on")
    func accepted() async throws {
        try await SizeFixture.with { job in
            try await job.remember(1000, 1000, 1000, 1000, 1000)
            let rule = AnomalyRule(.fail)
            let ended = await job.run(100, rule, accepting: true).perform(.dump)
            #expect(ended.failure == nil)
            #expect(ended.report.dumps[0].findings.map(\.severity) == [.warning])
            let next = await job.run(100, rule).perform(.dump)
            #expect(next.failure == nil)
            #expect(next.report.dumps[0].findings == [])
            #expect(await job.codes(49, rule) == ["size_shrank"])
        }
    }

    @Test("A dump by hand is warned of and made, and is no measure")
    func byHand() async throws {
        try await SizeFixture.with { job in
            try await job.remember(1000)
            let target = job.scratch.appending("by-hand")
            let ended = await job.run(100, AnomalyRule(.fail)).perform(into: target)
            #expect(ended.failure == nil)
            #expect(ended.report.dumps[0].findings.map(\.code) == ["size_shrank"])
            #expect(try FileSystem.status(of: target.appending("app/bytes")).bytes == 100)
            #expect(try await RunHistory(of: job.area.root).sizes(of: "app", "bytes") == [1000])
        }
    }

    @Test("check says what a dump took the last time, and what the next set takes of what is free")
    func lastRun() async throws {
        try await SizeFixture.with { job in
            let unknown = await Examination(of: job.job(700), log: .silent)
            #expect(unknown.parts.map(\.kind) == [.staging, .dump])
            #expect(unknown.parts[1].lastRun == nil)
            #expect(unknown.parts[0].expectedBytes == 700)
            try await job.remember(1000)
            try await job.remember(5, exitStatus: 3)
            let part = await Examination(of: job.job(700), log: .silent).parts[1]
            #expect(part.lastRun?.bytes == 1000)
            #expect(part.lastRun?.durationSeconds == 2.5)
            #expect(part.reachable == true)
            #expect(part.facts == ["bytes": "700"])
        }
    }

    @Test("check says in numbers that there is no space")
    func noSpace() async throws {
        try await SizeFixture.with { job in
            let staging = await Examination(of: job.job(Int(Int32.max) << 20), log: .silent).parts[0]
            #expect(staging.findings.map(\.code) == ["no_space", "no_set_yet"])
            #expect(staging.expectedBytes == Int64(Int32.max) << 20)
            let free = try FileSystem.availableBytes(at: job.area.root)
            #expect(try #require(staging.freeBytes) > 0 && staging.freeBytes! < staging.expectedBytes!, "\(free)")
        }
    }
}
