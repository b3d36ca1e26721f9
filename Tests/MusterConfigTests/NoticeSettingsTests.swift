import Jobs
import Settings
import Testing

@Suite("Receivers and hooks in a job file")
struct NoticeSettingsTests {
    private func receiver(_ lines: String) -> String {
        """
        staging: /srv/staging
        dumps: {app: {provider: postgresql}}
        notify:
          phone: \(lines)
        """
    }

    @Test("read back as they are shown, from YAML and from JSON")
    func roundTrip() throws {
        let plan = try job(
            """
            staging: /srv/staging
            dumps: {app: {provider: postgresql}}
            hooks:
              before: [[/a, b c], [d]]
              after: [e]
              deadline: 5m
            notify:
              check: {healthchecks: {url: {credential: ping}}, on: [start, success], about: [run, drill], deadline: 3s}
              chat:
                http:
                  url: {file: /etc/muster/url}
                  method: PUT
                  headers: {Title: "{subject}", Authorization: {file: /etc/muster/header}}
                  body: |
                    {"text": "{error.message}",
                     "of": "{job}"}
              mail: {apprise: {config: /etc/muster/apprise.conf}}
              program: {command: [/usr/local/bin/tell, "it"], on: [failure, recovery, interruption]}
            """)
        #expect(plan.hooks?.before == [["/a", "b c"], ["d"]] && plan.hooks?.after == [["e"]])
        #expect(plan.receivers.map(\.name) == ["check", "chat", "mail", "program"])
        #expect(plan.receivers[1].http?.body?.text == "{\"text\": \"{error.message}\",\n \"of\": \"{job}\"}\n")
        #expect(try job(plan.yaml) == plan)
        #expect(try job(plan.json) == plan)
    }

    @Test(
        "with a mistake are refused, and the mistake is named",
        arguments: [
            (
                "{deadline: 3s}",
                "4:10: notify.phone: expected one of healthchecks, http, apprise and command, found none\n  hint: To reach two receivers, give each a name of its own."
            ),
            (
                "{command: [a], apprise: {config: /a}}",
                "4:34: notify.phone.apprise: expected one of healthchecks, http, apprise and command, found 2\n  hint: To reach two receivers, give each a name of its own."
            ),
            (
                "{healthchecks: {url: https://hc-ping.com/token}}",
                "4:31: notify.phone.healthchecks.url: a secret is never written in a job file\n  hint: Write {file: /path/to/it}, {command: …} or {credential: NAME}."
            ),
            (
                "{healthchecks: {url: {file: /a}}, on: [recovery]}",
                "4:48: notify.phone.on: a check gets the end of each run, and no recovery\n  hint: Leave recovery out."
            ),
            (
                "{http: {url: {file: /a}, body: '{\"a\": {job}}'}}",
                "4:41: notify.phone.http.body: is not JSON, with text in each place\n  hint: Put places into quotes, as in {\"text\": \"{subject}\"}, or write the Content-Type below headers."
            ),
            (
                "{http: {url: {file: /a}, body: '{\"a\": \"{jobs}\"}'}}",
                "4:41: notify.phone.http.body: unknown place {jobs}\n  hint: Did you mean {job}?"
            ),
            (
                "{http: {url: {file: /a}, method: GET, body: '{}'}}",
                "4:54: notify.phone.http.body: a GET request has no body\n  hint: Leave out the body, or write method: POST."
            ),
            (
                "{command: [a], on: [broken]}",
                "4:30: notify.phone.on[0]: expected start, success, failure, recovery or interruption, found 'broken'"
            ),
        ])
    func mistakes(lines: String, mistake: String) {
        #expect(MusterConfigTests.mistakes(in: receiver(lines)) == "nightly.yaml:\(mistake)")
    }

    @Test("hear of incidents, and a check of each run, unless they say otherwise")
    func usual() throws {
        let plan = try job(receiver("{healthchecks: {url: {file: /a}}}\n  chat: {command: [a]}"))
        let (check, chat) = (plan.receivers[0], plan.receivers[1])
        #expect(NoticeEvent.allCases.filter(check.hears) == [.start, .success, .failure, .interruption])
        #expect(NoticeEvent.allCases.filter(chat.hears) == [.failure, .recovery])
        #expect(NoticeTopic.allCases.filter(check.hears) == [.run])
        #expect(NoticeTopic.allCases.filter(chat.hears) == NoticeTopic.allCases)
    }
}
