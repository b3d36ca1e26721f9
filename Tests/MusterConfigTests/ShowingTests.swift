import DumpCore
import MusterConfig
import PostgreSQL
import Settings
import Testing

@Suite("Showing a job")
struct ShowingTests {
    @Test("A short job is shown with every key and its default")
    func shown() throws {
        let plan = try job(repository("location: 12345@host:repo\npassphrase: {command: echo hunter2}"))
        #expect(
            plan.yaml == """
                staging: /srv/staging
                host: null
                plugin_path: null
                parallel: null
                retry:
                  times: 2
                  wait: 10s
                anomalies:
                  action: warn
                  below_percent: 50
                  above_percent: null
                max_age: null
                alert_after: null
                metrics: null
                report: null
                freeze: null
                hooks: null
                notify: {}
                drill: null
                dumps:
                  app:
                    provider: postgresql
                    connection: ""
                    password: null
                    container: null
                    run_as: null
                    databases:
                      include: ["*"]
                      exclude: []
                    layout: databases
                    growth: plain
                    growth_max_age: 90d
                    consistency: best
                    freeze:
                      attempts: 500
                      time: 5s
                    connection_share: 50
                    standby:
                      pause_replay: false
                      pause_limit: 1h
                    lock_timeout: 5m
                    stall_timeout: 30m
                    deadline: 1d
                    bin_directory: null
                    settings: false
                    allow_omissions: []
                    strict: false
                repositories:
                  offsite:
                    location: "12345@host:repo"
                    borg: borg
                    remote_path: null
                    passphrase:
                      command: "(redacted)"
                    initialize: null
                    encryption: null
                    lock_wait: 10m
                    key_export: null
                    compression: lz4
                    chunker_params: null
                    upload_ratelimit: null
                    extra_args: []
                    ssh: null
                    retry:
                      times: 3
                      wait: 30s
                    stall_timeout: 30m
                    keep: null
                    check: null
                    alert_after: null

                """)
        #expect(
            mistakes(in: plan.yaml) == """
                nightly.yaml:54:16: repositories.offsite.passphrase.command: 'config show' leaves the command out
                  hint: Write the command itself.
                """)
    }

    @Test("A job that is shown reads back as the same job, from YAML and from JSON")
    func roundTrip() throws {
        let plan = try job(
            """
            staging: "/srv/a \\"b\\" # ä\\\\ : [x]"
            dumps:
              "1e3": {provider: postgresql, deadline: none, lock_timeout: 1h1ms, password: {credential: x}}
              "null":
                provider: postgresql
                databases:
                  include: ["yes", "null", "~", "5", "0x1f", "1.5", "5m", "300", "a: b", "a #b", "-", "- x", "a,b", "]", "*", "&a",
                    "!x", "%d", "@", "`", "'", '"', "é", "\\u2000", " x ", "2024-01-01", "true", "<<", "=", "12:30:00", "?", "|", ">"]
              "on": {provider: postgresql, layout: cluster, run_as: "on"}
            repositories:
              "y": {location: "/mnt/it's", passphrase: {file: "/x: y"}, initialize: authenticated,
                     keep: {daily: 7, yearly: -1, within: 6m}, check: {every: 1w, max_duration: 90s}}
            """)
        #expect(try job(plan.yaml) == plan)
        #expect(try job(plan.json) == plan)
        #expect(plan.yaml.contains(#""yes", "null", "~", "5", "0x1f", "1.5", 5m, "300", "a: b""#))
    }
}
