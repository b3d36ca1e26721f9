import Borg
import DumpCore
import Jobs
import MusterConfig
import PostgreSQL
import Settings
import SystemPackage
import Testing

@Suite("Jobs")
struct JobTests {
    @Test("Every key reaches its setting")
    func everyKey() throws {
        let plan = try job(
            """
            staging: /srv//staging/.
            parallel: 3
            anomalies: {action: fail, below_percent: 80, above_percent: 300}
            dumps:
              z.app:
                provider: postgresql
                connection: service=app
                password: {file: /run/secrets/app}
                run_as: postgres
                databases:
                  include: ["shop", 2024]
                  exclude:
                    - scratch_?
                layout: databases
                lock_timeout: 1m30s
                stall_timeout: none
                deadline: none
                bin_directory: /usr/lib/postgresql/17/bin
              a:
                provider: postgresql
                layout: cluster
                databases: {exclude: [x]}
            repositories:
              offsite:
                location: me@host:repo
                borg: /opt/borg/bin/borg
                remote_path: borg14
                passphrase: {credential: borg}
                initialize: keyfile
                compression: obfuscate,110,auto,zstd,7
                lock_wait: 60s
              disk: {location: /mnt/repo}
            """)
        var app = PostgreSQLSettings()
        app.connection = "service=app"
        app.password = .file("/run/secrets/app")
        app.runAs = "postgres"
        app.include = ["shop", "2024"]
        app.exclude = ["scratch_?"]
        app.lockTimeout = .seconds(90)
        app.stallTimeout = nil
        app.deadline = nil
        app.binDirectory = "/usr/lib/postgresql/17/bin"
        var a = PostgreSQLSettings()
        a.layout = .cluster
        a.exclude = ["x"]
        var offsite = RepositorySettings()
        offsite.location = "me@host:repo"
        offsite.program = "/opt/borg/bin/borg"
        offsite.remotePath = "borg14"
        offsite.passphrase = .credential("borg")
        offsite.initialize = .keyfile
        offsite.creation.compression = "obfuscate,110,auto,zstd,7"
        offsite.lockWait = .seconds(60)
        var disk = RepositorySettings()
        disk.location = "/mnt/repo"
        let expected = Job(
            name: "nightly", file: "nightly.yaml", staging: "/srv/staging", parallel: 3,
            anomalies: AnomalyRule(.fail, belowPercent: 80, abovePercent: 300),
            dumps: [
                Job.Dump(name: "z.app", kind: .postgresql, settings: app),
                Job.Dump(name: "a", kind: .postgresql, settings: a),
            ],
            repositories: [
                Job.Repository(name: "offsite", settings: offsite), Job.Repository(name: "disk", settings: disk),
            ])
        #expect(plan == expected)
    }

    @Test("What is left out, or null as NixOS writes it, has its default")
    func defaults() throws {
        let short = try job("{staging: /s, dumps: {app: {provider: postgresql}}}")
        let plan = Job(
            name: "nightly", file: "nightly.yaml", staging: "/s",
            dumps: [Job.Dump(name: "app", kind: .postgresql, settings: PostgreSQLSettings())])
        #expect(short == plan)
        let nulls = #"{"staging":"/s","parallel":null,"dumps":{"app":{"provider":"postgresql","run_as":null}}}"#
        #expect(try job(nulls) == plan)
    }

    @Test("What follows from an unusual size is a word, or a mapping with the limits")
    func anomalies() throws {
        func rule(_ text: String) throws -> AnomalyRule {
            try job("{staging: /s, anomalies: \(text), dumps: {app: {provider: postgresql}}}").anomalies
        }
        #expect(try rule("warn") == AnomalyRule())
        #expect(try rule("fail") == AnomalyRule(.fail, belowPercent: 50, abovePercent: nil))
        #expect(try rule("ignore") == AnomalyRule(.ignore))
        #expect(try rule("{above_percent: 300}") == AnomalyRule(.warn, abovePercent: 300))
    }

    @Test("All mistakes of a file are reported at once, in the order of their places")
    func allAtOnce() {
        let text = """
            stagin: /srv/staging
            parallel: 0
            dumps:
              app:
                provider: postgresql
                run_as: "a b"
                lock_timout: 5m
                databases: {include: [], only: [x]}
              ../etc:
                provider: postgres
              other: {}
            repositories:
              offsite:
                initialize: repokey
                compression: brotli
            """
        #expect(
            mistakes(in: text) == """
                nightly.yaml:1:1: unknown key 'stagin' at the top level; did you mean 'staging'?
                nightly.yaml:2:11: parallel: expected a whole number from 1 to 64, found '0'
                nightly.yaml:6:13: dumps.app.run_as: expected the name of a user, found 'a b'
                nightly.yaml:7:5: unknown key 'lock_timout' in dumps.app; did you mean 'lock_timeout'?
                nightly.yaml:8:26: dumps.app.databases.include: needs at least one entry
                nightly.yaml:8:30: unknown key 'only' in dumps.app.databases
                  hint: Known here: include, exclude.
                nightly.yaml:9:3: dumps: expected a name of at most 64 letters, digits and . _ - that begins with a letter \
                or digit, found '../etc'
                nightly.yaml:10:15: dumps.'../etc'.provider: unknown provider 'postgres'
                  hint: Did you mean 'postgresql'?
                nightly.yaml:11:10: missing key 'provider' in dumps.other
                  hint: It says what to dump: postgresql or directory.
                nightly.yaml:13:3: missing key 'location' in repositories.offsite
                  hint: Where the repository is: user@host:path, ssh://user@host/path, or an absolute path.
                nightly.yaml:14:17: repositories.offsite.initialize: repokey needs a passphrase
                  hint: Write passphrase: {file: /path/to/it} beside it, or {command: …} or {credential: NAME}.
                nightly.yaml:15:18: repositories.offsite.compression: expected a compression that Borg knows, found 'brotli'
                  hint: Such as none, lz4, zstd,3 or auto,zstd. See 'borg help compression'.
                """)
    }

    @Test(
        "A mistake at the top level says what was expected",
        arguments: [
            (
                "[]",
                "1:1: the file: expected a mapping, found a list\n"
                    + "  hint: Leave out the '-' or the brackets: write each name or key on its own."
            ),
            (
                "nonsense",
                "1:1: the file: expected a mapping, found 'nonsense'\n"
                    + "  hint: Known here: staging, host, plugin_path, parallel, retry, anomalies, max_age, alert_after, metrics, report, freeze, hooks, notify, drill, dumps, repositories."
            ),
            (
                "dumps: {a: {provider: postgresql}}",
                """
                1:1: missing key 'staging' at the top level
                  hint: The directory that holds the dumps, with room for three sets. Nothing else may use it.
                """
            ),
            (
                "staging: /s",
                """
                1:1: missing key 'dumps' at the top level
                  hint: What to dump. Each has a name of your choice, which becomes its directory in the set.
                """
            ),
            ("{staging: /s, dumps: {}}", "1:22: dumps: needs at least one entry"),
            ("{staging: /s, dumps: }", "1:22: dumps: expected a mapping, found nothing"),
            (
                "{staging: s, dumps: {a: {provider: postgresql}}}",
                "1:11: staging: expected an absolute path, found 's'\n  hint: Write all of it, from / on."
            ),
            (
                "{staging: ~/s, dumps: {a: {provider: postgresql}}}",
                "1:11: staging: expected an absolute path, found '~/s'\n  hint: Write the home directory in place of ~."
            ),
            ("{staging: /., dumps: {a: {provider: postgresql}}}", "1:11: staging: must not be the root directory"),
            ("{staging: /s/.., dumps: {a: {provider: postgresql}}}", "1:11: staging: must not contain '..'"),
            (
                #"{staging: /s, parallel: "4", dumps: {a: {provider: postgresql}}}"#,
                "1:25: parallel: expected a whole number from 1 to 64, found the text '4'"
            ),
            (
                "{staging: /s, parallel: 010, dumps: {a: {provider: postgresql}}}",
                "1:25: parallel: expected a whole number from 1 to 64, found '010'"
            ),
            (
                "{staging: /s, dumps: {checksums: {provider: postgresql}}}",
                "1:23: dumps: the name 'checksums' is reserved; choose another"
            ),
            (
                "{staging: /s, dumps: {a: {provder: postgresql, run_as: x}}}",
                "1:27: unknown key 'provder' in dumps.a; did you mean 'provider'?"
            ),
            (
                "{staging: /s, dumps: {a: {provider: mysql}}}",
                "1:37: dumps.a.provider: unknown provider 'mysql'\n  hint: Known: postgresql and directory."
            ),
            (
                "{staging: /s, anomalies: faill, dumps: {a: {provider: postgresql}}}",
                "1:26: anomalies: expected warn, fail or ignore, found 'faill'\n  hint: Did you mean 'fail'?"
            ),
            (
                "{staging: /s, anomalies: {below_percent: 101}, dumps: {a: {provider: postgresql}}}",
                "1:42: anomalies.below_percent: expected a whole number from 0 to 100, found '101'"
            ),
            (
                "{staging: /s, anomalies: {actoin: fail}, dumps: {a: {provider: postgresql}}}",
                "1:27: unknown key 'actoin' in anomalies; did you mean 'action'?"
            ),
            (
                "{staging: /s, dumps: {a: postgresql}}",
                "1:26: dumps.a: expected a mapping, found 'postgresql'\n  hint: Write a: {provider: postgresql}."
            ),
        ])
    func topLevel(text: String, message: String) { #expect(mistakes(in: text) == "nightly.yaml:\(message)") }

    @Test("A repository and the staging directory within one another are refused, and so is one repository twice")
    func overlaps() {
        func text(_ location: String) -> String {
            """
            staging: /srv/backup
            dumps: {app: {provider: postgresql}}
            repositories:
              disk: {location: \(location)}
              other: {location: host:repo}
            """
        }
        let overlap = """
            nightly.yaml:3:1: repositories: repository 'disk' and the staging directory are one inside the other
              hint: Give each a directory of its own.
            """
        #expect(mistakes(in: text("/srv/backup/repo")) == overlap)
        #expect(mistakes(in: text("file:///srv/./backup")) == overlap)
        #expect(mistakes(in: text("/srv")) == overlap)
        #expect(mistakes(in: text("/srv/backup2")) == "")
        for same in ["host:repo", "host:repo/", "host:repo//"] {
            #expect(
                mistakes(in: text(same)) == """
                    nightly.yaml:3:1: repositories: 'disk' and 'other' are the same repository
                      hint: Leave one out.
                    """)
        }
        let twice = """
            staging: /s
            dumps: {app: {provider: postgresql}}
            repositories: {disk: {location: /srv/repo}, other: {location: "file:///srv/./repo/"}}
            """
        #expect(
            mistakes(in: twice) == """
                nightly.yaml:3:15: repositories: 'disk' and 'other' are the same repository
                  hint: Leave one out.
                """)
    }
}
