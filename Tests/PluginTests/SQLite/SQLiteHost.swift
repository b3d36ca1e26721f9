import DumpCore
import Glibc
import Linux
import Settings
import SystemPackage
import TestSupport
import Testing

/// Two SQLite databases, one of each way to keep a journal, and programs that use them.
///
/// Each has accounts whose sum never changes, and a number that counts the transfers between them.
struct SQLiteHost: Sendable {
    let scratch: FilePath

    /// Their names need care in a shell, in SQL and in a URI.
    var directory: FilePath { scratch.appending("it's \"100%\" ?") }
    var withLog: FilePath { directory.appending("with log.db") }
    var withJournal: FilePath { directory.appending("with journal.db") }

    static let accounts = 1000

    static func with(_ body: (SQLiteHost) async throws -> Void) async throws {
        try await Turn.take {
            try await withScratch { scratch in
                let host = SQLiteHost(scratch: scratch)
                try FileSystem.createDirectory(host.directory)
                try await host.create(host.withLog, journal: "wal")
                try await host.create(host.withJournal, journal: "delete")
                try await body(host)
            }
        }
    }

    func create(_ path: FilePath, journal: String, kilobytes: Int = 600) async throws {
        try await sql(
            path,
            #"""
            PRAGMA page_size = 8192; PRAGMA journal_mode = \#(journal); PRAGMA user_version = 7; PRAGMA application_id = 99;
            CREATE TABLE account (id INTEGER PRIMARY KEY, amount INTEGER NOT NULL);
            CREATE TABLE "the ""log""" (line BLOB); CREATE TABLE transfers (number INTEGER); INSERT INTO transfers VALUES (0);
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < \#(Self.accounts))
                INSERT INTO account SELECT i, 100 FROM n;
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < \#(kilobytes))
                INSERT INTO "the ""log""" SELECT randomblob(1000) FROM n;
            """#)
    }

    @discardableResult
    func sql(_ path: FilePath, _ statements: String) async throws -> String {
        try await output("sqlite3", "-bail", "-batch", path.string, statements)
    }

    var both: PlainValue { .list([.text(withLog.string), .text(withJournal.string)]) }

    func plugin() throws -> PluginHost { try PluginHost("sqlite", ["paths": both]) }

    /// Where a dump has the copy of a database.
    func copy(of path: FilePath, in directory: FilePath) -> FilePath {
        directory.pushing(FilePath(root: nil, path.components))
    }

    /// The sum of all accounts, and how many transfers there were.
    func state(of copy: FilePath) async throws -> (sum: Int, transfers: Int) {
        let text = try await sql(
            copy, "SELECT (SELECT sum(amount) FROM account) || ' ' || (SELECT number FROM transfers)")
        let numbers = text.split { !$0.isNumber }.compactMap { Int($0) }
        guard numbers.count == 2 else { throw HostError(description: "this is no state: \(text)") }
        return (numbers[0], numbers[1])
    }

    /// What is in a directory: names, owners, modes and sizes.
    func listing(_ directory: FilePath? = nil) throws -> [String] {
        try FileTree(directory ?? self.directory).entries().map {
            "\($0.path) \($0.status.uid) \($0.status.mode) \($0.status.bytes)"
        }.sorted()
    }

    // MARK: Programs that use the databases

    /// Runs `body` while a program transfers, hundreds of times a second. It goes from one database to the next, so that the first is
    /// at most one ahead.
    func whileWriting(_ paths: [FilePath], _ body: () async throws -> Void) async throws {
        try await running(
            """
            import random, sqlite3, sys, time
            connections = [sqlite3.connect(path, isolation_level=None, timeout=60) for path in sys.argv[1:]]
            number = 0
            while True:
                number += 1
                for connection in connections:
                    one, other = random.sample(range(1, 1001), 2)
                    connection.execute("BEGIN IMMEDIATE")
                    connection.execute("UPDATE account SET amount = amount - 1 WHERE id = ?", (one,))
                    connection.execute("UPDATE account SET amount = amount + 1 WHERE id = ?", (other,))
                    connection.execute("UPDATE transfers SET number = ?", (number,))
                    connection.execute("COMMIT")
                print("ready" if number == 20 else "", flush=True)
                time.sleep(0.001)
            """, paths.map(\.string), body)
    }

    /// Runs `body` while a program of that user runs some statements, each of which it leaves open, and stays.
    func whileOpen(_ path: FilePath, _ statements: String, user: UInt32 = 0, _ body: () async throws -> Void)
        async throws
    {
        try await running(
            """
            import os, signal, sqlite3, sys
            os.setgid(\(user)); os.setuid(\(user))
            connection = sqlite3.connect(sys.argv[1], isolation_level=None)
            for statement in sys.argv[2].split(";"):
                connection.execute(statement).fetchall()
            print("ready", flush=True)
            signal.pause()
            """, [path.string, statements], body)
    }

    /// Runs `body` while a program has a database locked: for one second from when another process has opened it.
    func whileLockedForAWhile(_ path: FilePath, _ body: () async throws -> Void) async throws {
        try await running(
            """
            import glob, os, signal, sqlite3, sys, time
            def is_wanted():
                for file in glob.glob("/proc/[0-9]*/fd/*"):
                    try:
                        if f"/{os.getpid()}/" not in file and os.readlink(file) == sys.argv[1]:
                            return True
                    except OSError:
                        pass
            connection = sqlite3.connect(sys.argv[1], isolation_level=None)
            connection.execute("BEGIN EXCLUSIVE")
            print("ready", flush=True)
            while not is_wanted():
                time.sleep(0.02)
            time.sleep(1)
            connection.execute("COMMIT")
            signal.pause()
            """, [path.string], body)
    }

    /// Runs a Python program until it has printed `ready`, then `body`, and then kills it.
    private func running(_ script: String, _ arguments: [String], _ body: () async throws -> Void) async throws {
        let command = try Command(
            "/usr/bin/python3", ["-c", script] + arguments, environment: ["LC_ALL": "C.UTF-8"], scratch: scratch)
        try await withCleanup { cleanup in
            cleanup.append {
                command.send(SIGKILL)
                _ = try await command.result()
            }
            try await eventually {
                guard isAlive(command.pid) else { throw HostError(description: try command.errorsSoFar()) }
                return try command.outputSoFar().contains("ready")
            }
            try await body()
        }
    }
}

extension Command {
    /// What it has written to standard output by now.
    func outputSoFar() throws -> String { try read(FilePath("/proc/\(pid)/fd/1")) }
}
