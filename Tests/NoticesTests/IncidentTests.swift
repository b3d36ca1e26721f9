import DumpCore
import Jobs
import Linux
import Notices
import SystemPackage
import TestSupport
import Testing

@Suite("An incident")
struct IncidentTests {
    @Test("is told once when it begins and once when it ends, whatever happens in between")
    func once() async throws {
        try await NoticeHost.with { host in
            try host.addHTTP("phone", at: "ok/phone")
            #expect(await host.succeed() == [])
            #expect(await host.fail() == ["phone failure"])
            #expect(await host.fail() == [])
            #expect(await host.fail() == [])
            #expect(await host.succeed() == ["phone recovery"])
            #expect(await host.succeed() == [])
            #expect(await host.fail() == ["phone failure"])
            #expect(
                try host.server.bodies("ok/phone") == [
                    "failure nightly on web1: run failed", "recovery nightly on web1: run done",
                    "failure nightly on web1: run failed",
                ])
            #expect(host.log.all == [])
        }
    }

    @Test("is told the next time to a receiver that was not reached, and to no other")
    func unreached() async throws {
        try await NoticeHost.with { host in
            try host.addHTTP("mail", at: "ok/mail")
            try host.addHTTP("phone", at: "refuse/phone")
            #expect(await host.fail() == ["mail failure", "phone failure receiver_refused"])
            #expect(host.log.all == ["receiver_refused receiver 'phone' was not reached: it answered 500"])
            #expect(await host.fail() == ["phone failure receiver_refused"])
            let good = try host.secret(host.server.url("ok/phone"))
            host.job.receivers[1].http?.url = good
            #expect(await host.fail() == ["phone failure"])
            #expect(await host.fail() == [])
        }
    }

    @Test("whose end did not reach a receiver is told as ended the next time, unless it has begun again by then")
    func unreachedEnd() async throws {
        try await NoticeHost.with { host in
            try host.addHTTP("phone", at: "ok/phone")
            let (good, bad) = (host.job.receivers[0].http?.url, try host.secret(host.server.url("refuse/phone")))
            func reach(_ isReached: Bool) { host.job.receivers[0].http?.url = isReached ? good! : bad }
            #expect(await host.fail() == ["phone failure"])
            reach(false)
            #expect(await host.succeed() == ["phone recovery receiver_refused"])
            reach(true)
            #expect(await host.succeed() == ["phone recovery"])
            #expect(await host.succeed() == [])

            #expect(await host.fail() == ["phone failure"])
            reach(false)
            #expect(await host.succeed() == ["phone recovery receiver_refused"])
            reach(true)
            #expect(await host.fail() == ["phone failure"], "it is another one")
            #expect(await host.succeed() == ["phone recovery"])
        }
    }

    @Test("of one key is none of another's, nor of another job's in the same place")
    func keys() async throws {
        try await NoticeHost.with { host in
            try host.addHTTP("phone", at: "ok/phone")
            #expect(await host.fail("check/local") == ["phone failure"])
            #expect(await host.fail("check/offsite") == ["phone failure"])
            #expect(await host.succeed("check/local") == ["phone recovery"])
            #expect(await host.fail("check/offsite") == [])
            #expect(await host.notices.isOpen("check"))
            #expect(!(await host.notices.isOpen("check/local")))
            #expect(!(await host.notices.isOpen("run")))
            host.job.name = "hourly"
            #expect(await host.fail("check/offsite") == ["phone failure"])
        }
    }

    @Test("that a dump opened is not ended by an archive, and one that an archive opened is")
    func commands() async throws {
        try await NoticeHost.with { host in
            try host.addHTTP("phone", at: "ok/phone")
            #expect(await host.fail(by: "dump", endedBy: ["run", "dump"]) == ["phone failure"])
            #expect(await host.succeed(by: "archive") == [])
            #expect(await host.succeed(by: "dump") == ["phone recovery"])
            #expect(await host.fail(endedBy: ["run", "archive"]) == ["phone failure"])
            #expect(await host.succeed(by: "dump") == [])
            #expect(await host.succeed(by: "archive") == ["phone recovery"])
        }
    }

    @Test("is told to those who want it: an end alone, a begin alone, and topics")
    func wishes() async throws {
        try await NoticeHost.with { host in
            try host.addHTTP("begin", at: "ok/begin") { $0.events = [.failure] }
            try host.addHTTP("end", at: "ok/end") { $0.events = [.recovery] }
            try host.addHTTP("each", at: "ok/each") { $0.events = [.start, .success] }
            try host.addHTTP("drills", at: "ok/drills") { $0.topics = [.drill] }
            #expect(await host.notices.tell(host.notice(.start, "run started")).map(\.words) == ["each start"])
            #expect(await host.fail() == ["begin failure"])
            #expect(await host.succeed() == ["each success", "end recovery"])
            #expect(await host.succeed() == ["each success"])
            #expect(try read(host.staging.appending("incidents.json")).contains("told") == false)
        }
    }

    @Test("survives what is no list of incidents: receivers are told again, and the operator is told why")
    func damaged() async throws {
        try await NoticeHost.with { host in
            try host.addHTTP("phone", at: "ok/phone")
            #expect(await host.fail() == ["phone failure"])
            let file = host.staging.appending("incidents.json")
            for text in ["", "{\"format_version\": 1, \"incidents\": [{\"job\"", "[]", "\0\0"] {
                try write(text, to: file)
                #expect(await host.fail() == ["phone failure"])
                #expect(
                    host.log.all.last
                        == "damaged_record \(file) cannot be understood: receivers may be notified again of what they know"
                )
                let lines = host.log.all.count
                #expect(await host.fail() == [])
                #expect(host.log.all.count == lines, "it is whole again")
            }
        }
    }

    @Test("is told although nothing can be written down, each time")
    func unwritable() async throws {
        try await NoticeHost.with { host in
            try host.addHTTP("phone", at: "ok/phone")
            host.job.staging = host.scratch.appending("absent/staging")
            for count in 1...2 {
                #expect(await host.fail() == ["phone failure"])
                #expect(
                    host.log.all.last?.hasPrefix("unsuitable_directory cannot record who knows of an incident")
                        == true)
                #expect(try host.server.bodies("ok/phone").count == count)
            }
            #expect(await host.succeed() == [])
        }
    }

    @Test("is told also when the task that ends was cancelled")
    func cancelled() async throws {
        try await NoticeHost.with { host in
            try host.addHTTP("phone", at: "ok/phone")
            let telling = Task { [host] in
                withUnsafeCurrentTask { $0?.cancel() }
                return await host.fail()
            }
            #expect(await telling.value == ["phone failure"])
        }
    }
}
