import DumpCore
import PostgreSQL
import Testing

/// Every code of an omission, as a message lists them.
private let codes: String = {
    let words = OmissionCode.allCases.map(\.rawValue)
    return words.dropLast().joined(separator: ", ") + " or " + words.last!
}()

@Suite("Settings of a PostgreSQL dump")
struct PostgreSQLSettingsTests {
    @Test(
        "A connection string with a password is refused, and the password is not repeated",
        arguments: [
            "host=db password=hunter2", "host=db PASSWORD = hunter2", "password='hunter2' host=db",
            "sslpassword=hunter2",
            "postgresql://backup:hunter2@db/app", "postgres://backup@db/app?password=hunter2",
            "password=secret hunter2",
            "postgresql://backup:hunter2@[db/?x=password",
        ])
    func passwordInConnection(connection: String) {
        #expect(
            mistakes(in: dump("connection: \"\(connection)\"")) == """
                nightly.yaml:5:17: dumps.app.connection: a password is never written in a job file
                  hint: Leave it out here and write password: {file: /path/to/it} beside connection.
                """)
    }

    @Test("A connection string that libpq does not understand is refused without being repeated")
    func unclearConnection() {
        for connection in [
            "hunter2", "host='hunter2", "postgresql://backup:hunt%er2@db/", "postgresql://u:hunter2@[db/",
            "postgresq://u:hunter2@db/?a=b",
        ] {
            #expect(
                mistakes(in: dump("connection: \"\(connection)\"")) == """
                    nightly.yaml:5:17: dumps.app.connection: libpq does not understand this connection string
                      hint: Write it as 'host=db.example user=backup' or as 'postgresql://backup@db.example/'.
                    """)
        }
        #expect(
            mistakes(in: dump("connection: hots=db")) == """
                nightly.yaml:5:17: dumps.app.connection: libpq knows no option 'hots'
                  hint: Did you mean 'host'?
                """)
    }

    @Test(
        "Other connection strings are taken as they are",
        arguments: ["", "service=app", "host=/run/postgresql port=5433", "postgresql://backup@db/app?sslmode=require"])
    func connections(connection: String) throws {
        #expect(try job(dump("connection: \"\(connection)\"")).postgreSQL.connection == connection)
    }

    @Test(
        "A secret that is written in the file is refused, and not repeated",
        arguments: [
            (
                "password: hunter2",
                """
                5:15: dumps.app.password: a secret is never written in a job file
                  hint: Write {file: /path/to/it}, {command: …} or {credential: NAME}.
                """
            ),
            (
                "password: [hunter2]",
                """
                5:15: dumps.app.password: expected a mapping with file, command or credential, found a list
                  hint: Write {file: /path/to/it}, {command: …} or {credential: NAME}.
                """
            ),
            (
                "password: {hunter2: x}",
                """
                5:16: unknown key in dumps.app.password
                  hint: Write {file: /path/to/it}, {command: …} or {credential: NAME}.
                """
            ),
            (
                "password: {flie: /x}",
                """
                5:16: unknown key in dumps.app.password; did you mean 'file'?
                  hint: Write {file: /path/to/it}, {command: …} or {credential: NAME}.
                """
            ),
            ("password: {file: hunter2}", "5:22: dumps.app.password.file: must be an absolute path"),
            ("password: {command: }", "5:25: dumps.app.password.command: expected text"),
            ("password: {command: ''}", "5:25: dumps.app.password.command: must be a command line for /bin/sh"),
            (
                "password: {command: (redacted)}",
                """
                5:25: dumps.app.password.command: 'config show' leaves the command out
                  hint: Write the command itself.
                """
            ),
            (
                "password: {credential: a/b}",
                "5:28: dumps.app.password.credential: must be the name of a systemd credential, as in "
                    + "LoadCredential=NAME:PATH"
            ),
            (
                "password: {file: /x, command: y}",
                "5:15: dumps.app.password: expected one of file, command and credential, found file and command"
            ),
            ("password: {}", "5:15: dumps.app.password: expected one of file, command and credential, found none"),
        ])
    func secrets(line: String, message: String) { #expect(mistakes(in: dump(line)) == "nightly.yaml:\(message)") }

    @Test("A command for a secret may have several lines")
    func commandOfSeveralLines() throws {
        let plan = try job(dump("password:\n  command: |\n    a\n    b\n"))
        #expect(plan.postgreSQL.password == .command("a\nb\n"))
    }

    @Test(
        "What cannot be is refused",
        arguments: [
            ("lock_timeout: 0", "5:19: dumps.app.lock_timeout: must be at least 1ms, found 0s"),
            ("lock_timeout: 25d", "5:19: dumps.app.lock_timeout: must be at most 24d, found 25d"),
            (
                "lock_timeout: 5 minutes",
                "5:19: dumps.app.lock_timeout: expected a duration such as 90s, 5m, 6h or 1d, found '5 minutes'"
            ),
            (
                "lock_timeout: 1.5h",
                "5:19: dumps.app.lock_timeout: expected a duration such as 90s, 5m, 6h or 1d, found '1.5h'"
            ),
            ("stall_timeout: 0s", "5:20: dumps.app.stall_timeout: must be at least 1ms, found 0s"),
            ("deadline: 0s", "5:15: dumps.app.deadline: must be at least 1ms, found 0s"),
            (
                "deadline: null",
                "5:15: dumps.app.deadline: expected a duration or none, found nothing\n  hint: Write none for no limit."
            ),
            ("run_as: -x", "5:13: dumps.app.run_as: expected the name of a user, found '-x'"),
            (
                "run_as: postgresql://u:hunter2@h",
                "5:13: dumps.app.run_as: expected the name of a user, found (not shown, as it may hold a password)"
            ),
            (
                "layout: clusters",
                "5:13: dumps.app.layout: expected databases or cluster, found 'clusters'\n  hint: Did you mean 'cluster'?"
            ),
            (
                "databases: shop",
                "5:16: dumps.app.databases: expected a mapping, found 'shop'\n  hint: Write 'databases: {include: [shop]}'."
            ),
            (
                "databases: [shop, \"customer_*\"]",
                "5:16: dumps.app.databases: expected a mapping, found a list\n"
                    + "  hint: Write 'databases: {include: [shop, \"customer_*\"]}'."
            ),
            (
                "databases:",
                "5:15: dumps.app.databases: expected a mapping, found nothing\n  hint: Known here: include, exclude."
            ),
            (
                "databases: {exclude: shop}",
                "5:26: dumps.app.databases.exclude: expected a list, found 'shop'\n  hint: Write ['shop']."
            ),
            (
                "databases: {exclude: \"a_*, b\"}",
                "5:26: dumps.app.databases.exclude: expected a list, found the text 'a_*, b'\n  hint: Write ['a_*', 'b']."
            ),
            ("databases: {exclude: [a, '']}", "5:30: dumps.app.databases.exclude[1]: must not be empty"),
            (
                "databases: {include: [\"a\\nb\"]}",
                "5:27: dumps.app.databases.include[0]: must be one line without control characters"
            ),
            (
                "bin_directory: bin",
                "5:20: dumps.app.bin_directory: expected an absolute path, found 'bin'\n  hint: Write all of it, from / on."
            ),
            (
                "allow_omissions: [sequences_outside_snapshot, table_row_hidden]",
                "5:51: dumps.app.allow_omissions[1]: expected \(codes), found 'table_row_hidden'\n"
                    + "  hint: Did you mean 'table_rows_hidden'?"
            ),
            ("strict: yes", "5:13: dumps.app.strict: expected true or false, found 'yes'\n  hint: Write true."),
            ("connection:", "5:16: dumps.app.connection: expected text, found nothing"),
            ("connection: [x]", "5:17: dumps.app.connection: expected text, found a list"),
            (
                "connection: passfile=/x\npassword: {file: /y}",
                """
                6:15: dumps.app.password: has no effect, as the connection string names a passfile
                  hint: Leave one of them out.
                """
            ),
            (
                "growth: delta\nlayout: cluster",
                "5:13: dumps.app.growth: the one file of layout: cluster is not stored as rows\n"
                    + "  hint: Set layout: databases, or leave out growth."
            ),
            (
                "growth: rows",
                "5:13: dumps.app.growth: expected plain or delta, found 'rows'"
            ),
            ("lockTimeout: 5m", "5:5: unknown key 'lockTimeout' in dumps.app; did you mean 'lock_timeout'?"),
        ])
    func impossible(lines: String, message: String) { #expect(mistakes(in: dump(lines)) == "nightly.yaml:\(message)") }

    @Test(
        "Durations are read in every unit, and shown in the largest",
        arguments: [
            ("\"90s\"", .seconds(90)), ("90s", .seconds(90)), ("5m", .seconds(300)),
            ("500ms", .milliseconds(500)), ("1d2h3m4s5ms", .milliseconds(93_784_005)),
        ] as [(String, Duration)])
    func durations(text: String, duration: Duration) throws {
        #expect(try job(dump("lock_timeout: \(text)")).postgreSQL.lockTimeout == duration)
    }

    @Test("A number without a unit is no duration, except 0", arguments: ["26", "\"26\""])
    func unitless(text: String) throws {
        #expect(
            mistakes(in: dump("lock_timeout: \(text)")) == """
                nightly.yaml:5:19: dumps.app.lock_timeout: 26 has no unit
                  hint: Write 26s, 26m, 26h or 26d.
                """)
        #expect(mistakes(in: repository("location: /x\nlock_wait: 0")) == "")
    }

    @Test("A duration that is too long to count is none", arguments: ["99999999999999999999s", "9223372036854775807d"])
    func endlessDuration(text: String) {
        #expect(
            mistakes(in: dump("lock_timeout: \(text)"))
                == "nightly.yaml:5:19: dumps.app.lock_timeout: expected a duration such as 90s, 5m, 6h or 1d, found '\(text)'"
        )
    }
}
