import DumpCore

/// The settings of a drill's server: everything for a fast restore, and nothing that outlives it, connects anywhere or runs by itself.
struct DrillSettings: Sendable {
    let dump: Manifest.DumpRecord
    let drill: DrillRequest
    let major: Int
    /// After which databases are called while they are filled.
    var run: RunID?

    private var databases: [DatabaseContents] {
        dump.databases.filter { drill.items.isEmpty || drill.items.contains($0.name) }
    }

    /// Extensions whose library must be loaded at the start, or CREATE EXTENSION fails. Citus wants to be the first.
    private static let needLibrary = [
        "citus", "timescaledb", "pg_cron", "pgaudit", "pglogical", "pg_squeeze", "pg_net",
    ]

    private var extensions: Set<String> {
        Set(databases.flatMap { $0.record?.extensions ?? [] }.map(\.name))
    }

    /// Named like their extensions.
    var libraries: [String] { Self.needLibrary.filter(extensions.contains) }

    /// Lines for `postgresql.auto.conf`.
    var lines: [String] {
        speed + limits + quiet
            + (libraries.isEmpty ? [] : ["shared_preload_libraries = '\(libraries.joined(separator: ","))'"])
            + (libraries.contains("pg_cron") ? cron : [])
    }

    /// pg_cron can be created in one database only, which has the name of one that is not finished then. No worker starts a job.
    private var cron: [String] {
        let database = databases.first { $0.record?.extensions.contains { $0.name == "pg_cron" } ?? false }
        guard let database, let run else { return [] }
        let name = RestoreNames(run: run).unfinished(database.name)
        return ["cron.database_name = '\(name.marking("'", with: "'"))'", "cron.use_background_workers = off"]
    }

    /// Measured: these take three tenths off a restore. All of it is thrown away, so nothing has to survive a crash.
    private var speed: [String] {
        [
            "full_page_writes = off", "synchronous_commit = off", "wal_level = minimal", "max_wal_senders = 0",
            "archive_mode = off", "autovacuum = off", "checkpoint_timeout = 1h", "maintenance_work_mem = 256MB",
            "max_wal_size = \(mostLogMegabytes)MB", "min_wal_size = 64MB",
        ]
    }

    /// The log takes space beside the data, an eighth of what is allowed.
    private var mostLogMegabytes: Int64 {
        guard let limit = drill.byteLimit else { return 8192 }
        return min(max(limit >> 23, 64), 8192)
    }

    /// A restore, and a dump that is compared, lock every table of a database at once.
    private var limits: [String] {
        let tables = databases.map(\.tables.count).max() ?? 0
        let connections = 40 + 2 * drill.jobs
        return [
            "port = 5432", "max_connections = \(connections)",
            "max_locks_per_transaction = \(min(max(64, 8 * tables / connections), 4096))",
        ]
    }

    /// Extensions bring background workers, which run jobs: where their library is loaded, there is no room for any.
    private var quiet: [String] {
        [
            "max_logical_replication_workers = 0", "max_worker_processes = \(libraries.isEmpty ? 8 : 0)",
            "log_min_messages = warning", "lc_messages = 'C'",
        ] + (major >= 17 ? ["event_triggers = off"] : [])
    }

    /// Arguments for initdb: locale and encoding as of the database that new ones are made from.
    var arguments: [String] {
        let record = ["template1", "postgres"].lazy.compactMap { name in dump.databases.first { $0.name == name } }
            .first?
            .record
        guard let record else { return ["--encoding=UTF8", "--locale=C"] }
        let locale = record.locale
        var arguments = [
            "--encoding=\(record.encoding)", "--locale=C", "--lc-collate=\(locale.collate)",
            "--lc-ctype=\(locale.ctype)",
        ]
        switch (locale.provider, locale.name) {
        case ("icu", let name?) where major >= 15: arguments += ["--locale-provider=icu", "--icu-locale=\(name)"]
        case ("builtin", let name?): arguments += ["--locale-provider=builtin", "--builtin-locale=\(name)"]
        default: arguments += major >= 15 ? ["--locale-provider=libc"] : []
        }
        return arguments
    }

    /// What of it the operator should know.
    var findings: [Finding] {
        libraries.map { library in
            Finding(
                .note, "drill_jobs_off", object: library,
                "extension '\(library)' is restored by a server without background workers, so that no job of the dump runs"
            )
        }
    }
}
