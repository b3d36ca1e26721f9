import DumpCore
import Reporting
import Testing

@testable import Monitoring

@Suite("How a job is doing")
struct JobHealthTests {
    @Test("is a failure where the set that was published is gone, and not before there was one")
    func setMissing() {
        var job = JobFixture()
        job.hasSet = false
        job.run(outcome: .interrupted)
        #expect(job.codes() == ["run_interrupted"])
        job.goodRun()
        #expect(job.codes() == ["set_missing"] && job.health().verdict == .failed)
        #expect(job.health().reasons[0].message.hasSuffix("is no longer in /var/lib/muster/nightly"))
        job.hasSet = true
        #expect(job.codes() == [])
    }

    @Test("is OK after good runs, with their numbers")
    func good() {
        var job = JobFixture()
        for bytes: Int64 in [10, 20, 30] { job.goodRun(bytes: bytes, stored: bytes / 10) }
        let health = job.health()
        #expect(health.verdict == .ok && health.reasons == [])
        #expect(health.dumps[0].sizes == [10, 20, 30] && health.dumps[0].lastSuccess?.bytes == 30)
        #expect(health.dumps[0].lastSuccess?.runID == job.runs[2].runID)
        #expect(health.repositories[0].storedBytes == [1, 2, 3])
        #expect(health.repositories[0].lastConfirmed?.runID == job.runs[2].runID)
        #expect(health.repositories[0].confirmedArchives == 3)
        #expect(health.lastSuccess?.runID == job.runs[2].runID && health.running == nil && health.drill == nil)
    }

    @Test("is a warning before the first run, and not while that is at work")
    func never() {
        var job = JobFixture()
        #expect(job.codes() == ["never_run"] && job.health().verdict == .warning)
        job.run(outcome: .running) { $0.stage = .dump }
        #expect(job.codes() == [])
        #expect(job.health().running?.stage == .dump)
    }

    @Test("is a failure while the newest run is one that was killed, and no longer after a good one")
    func killed() {
        var job = JobFixture()
        job.goodRun()
        job.run(outcome: .noResult) { $0.stage = .dump }
        #expect(job.codes() == ["run_without_result"] && job.health().verdict == .failed)
        #expect(job.health().lastSuccess?.runID == job.runs[0].runID)
        job.goodRun()
        #expect(job.codes() == [])
    }

    @Test("is what the newest run failed of, in its own words, until a run went well")
    func failed() {
        var job = JobFixture()
        job.goodRun()
        job.run(outcome: .failed) { ($0.exitStatus, $0.error) = (3, RunReport.ErrorRecord(Fault.dump)) }
        let reason = job.health().reasons[0]
        #expect(reason.code == "fault_dump" && reason.message.hasSuffix("failed: the dump is gone"))
        #expect(reason.hint == "Mend the dump." && job.health().verdict == .failed)
        job.run(outcome: .interrupted) { $0.exitStatus = 130 }
        #expect(job.codes() == ["run_interrupted"] && job.health().verdict == .warning)
        job.goodRun()
        #expect(job.codes() == [])
    }

    @Test("is of a repository where only its archive failed, and is mended by 'muster archive'")
    func archive() {
        var job = JobFixture()
        job.goodRun()
        job.runWithoutArchive()
        #expect(job.codes() == ["fault_connection"])
        #expect(job.health().reasons[0].message.hasPrefix("repository offsite: the last archive failed"))
        #expect(job.health().lastSuccess?.runID == job.runs[1].runID, "its set is published")
        let archived = job.run(.archive) {
            $0.archives = [.init(repository: "offsite", outcome: .done, durationSeconds: 1)]
        }
        job.confirm(archived)
        #expect(job.codes() == [] && job.health().lastSuccess?.runID == job.runs[1].runID)
    }

    @Test("is a warning where a repository never received an archive although there is a set")
    func neverArchived() {
        var job = JobFixture()
        job.run(.dump)
        #expect(job.codes() == ["never_archived"])
    }

    @Test("tells of a good archive after which something failed")
    func upkeep() {
        var job = JobFixture()
        job.goodRun()
        job.runs[0].archives[0].upkeep = .init()
        job.runs[0].archives[0].upkeep?.error = .init(Fault.connection)
        #expect(job.codes() == ["fault_connection"])
        #expect(job.health().reasons[0].message.contains("its archive is good"))
    }

    @Test("has the warnings of its newest dump, not those of older ones")
    func findings() {
        var job = JobFixture()
        let shrunk = Finding(.warning, "dump_shrank", object: "app", "it shrank to a tenth")
        let note = Finding(.note, "note", object: "app", "all is well")
        job.goodRun()
        job.runs[0].dumps = [JobFixture.dump(1, findings: [shrunk, note])]
        #expect(job.codes() == ["dump_shrank"] && job.health().verdict == .warning)
        #expect(job.health().reasons[0].message == "dump app: it shrank to a tenth")
        job.goodRun()
        #expect(job.codes() == [])
    }

    @Test("is stale after the job's limit, a repository after its own")
    func stale() {
        var job = JobFixture(alertAfter: .seconds(26 * 3600))
        job.goodRun()
        #expect(job.codes(hoursLater: 25) == [])
        #expect(job.codes(hoursLater: 27) == ["job_stale", "repository_stale"])
        #expect(
            job.health(hoursLater: 30).reasons[0].message
                == "no set has been published for 29 hours (alert_after: 26 hours)")
        job.job.repositories[0].settings.alertAfter = .seconds(8 * 86_400)
        #expect(job.codes(hoursLater: 27) == ["job_stale"])
        job.runWithoutArchive()
        for _ in 1...9 { job.run(.dump) }
        #expect(job.codes() == ["fault_connection", "repository_stale"])
    }

    @Test("is stale after three usual intervals where there is no limit, and never before there is a rhythm")
    func usualInterval() {
        var job = JobFixture()
        for _ in 1...3 { job.goodRun() }
        #expect(job.codes(hoursLater: 24 * 365) == [], "three runs are no rhythm")
        job.goodRun()
        #expect(job.codes(hoursLater: 71) == [])
        #expect(job.codes(hoursLater: 73) == ["job_stale", "repository_stale"])
        #expect(job.health().ageLimit == AgeLimit(seconds: 3 * 86_400, isSet: false))
    }

    @Test("takes runs by hand, one after the other, for no rhythm")
    func byHand() {
        var job = JobFixture()
        for _ in 1...6 {
            job.goodRun()
            job.clock = Timestamp(milliseconds: job.clock.milliseconds - JobFixture.day + 120_000)
        }
        job.clock = Timestamp(milliseconds: job.clock.milliseconds + JobFixture.day)
        #expect(job.codes(hoursLater: 23) == [])
    }

    @Test("says nothing of ages, but of the clock, where the newest archive is dated ahead")
    func clock() {
        var job = JobFixture(alertAfter: .seconds(3600))
        job.goodRun()
        #expect(job.codes(hoursLater: -24) == ["dated_ahead", "dated_ahead"])
        #expect(job.health(hoursLater: -24).verdict == .warning)
    }

    @Test("takes no run that is dated ahead for the newest: what came before it becomes stale as ever")
    func ahead() {
        var job = JobFixture(alertAfter: .seconds(26 * 3600))
        job.goodRun()
        let good = job.runs[0]
        job.clock = Timestamp(milliseconds: job.clock.milliseconds + 900 * JobFixture.day)
        job.run(.dump)
        let health = JobHealth(job.records, at: Timestamp(milliseconds: good.endedAt.milliseconds + 27 * 3_600_000))
        #expect(health.reasons.map(\.code) == ["job_stale", "repository_stale", "dated_ahead"])
        #expect(health.lastSuccess?.runID == good.runID && health.lastRun?.runID == good.runID)
    }

    @Test("has the result of the newest drill, and how long ago one proved something")
    func drills() {
        var job = JobFixture()
        job.goodRun()
        job.drill(.proven)
        #expect(job.codes() == [] && job.health().drill?.lastProvenAt == job.drills[0].endedAt)
        job.drill(.failed)
        #expect(job.codes() == ["drill_failed"] && job.health().drill?.lastProvenAt == job.drills[0].endedAt)
        job.drill(.sampled)
        #expect(job.codes() == [] && job.health().drill?.lastProvenAt == job.drills[2].endedAt)
        job.job.drill = .init()
        job.job.drill?.alertAfter = .seconds(86_400)
        #expect(job.codes(hoursLater: 50) == ["drill_stale"])
        job.drills = []
        #expect(job.codes() == ["never_drilled"])
    }

    @Test("has the worst first")
    func order() {
        var job = JobFixture(alertAfter: .seconds(3600))
        job.goodRun()
        let shrunk = Finding(.warning, "dump_shrank", object: "app", "it shrank")
        job.runs[0].dumps = [JobFixture.dump(1, findings: [shrunk])]
        #expect(job.codes(hoursLater: 9) == ["job_stale", "repository_stale", "dump_shrank"])
    }

    @Test("counts no dump of another kind under the same name, nor one of a set that was not published")
    func others() {
        var job = JobFixture()
        job.goodRun(bytes: 5)
        job.run(outcome: .failed) { report in
            (report.exitStatus, report.dumps) = (3, [JobFixture.dump(7)])
        }
        job.goodRun(bytes: 9)
        job.runs[2].dumps[0].provider = "postgresql"
        #expect(job.health().dumps[0].sizes == [5])
    }
}
