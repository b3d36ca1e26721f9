import Conformance
import DumpCore
import Linux
import TestSupport
import Testing

@testable import PostgreSQL

@Suite("What other sessions do")
struct ActivityTests {
    @Test("Who holds a table so that no one may read it is named with the table, and is no more once it has gone")
    func held() async throws {
        try await ClusterFixture.withShop { cluster in
            try await cluster.server.psql(
                "create schema \"Old stuff\"; create table \"Old stuff\".t (id int primary key)", in: "shop")
            let lock = "begin; lock table \"Old stuff\".t"
            try await cluster.whileSession(lock, in: "shop", isSeenBy: hasExclusiveLock) { pid in
                let found = try await findings(cluster.provider())
                #expect(found.map(\.code) == ["lock_held"])
                #expect(found[0].severity == .warning)
                #expect(found[0].object == "shop.\"Old stuff\".t")
                #expect(
                    found[0].message.hasPrefix(
                        "session \(pid) of role 'postgres' holds an ACCESS EXCLUSIVE lock on \"Old stuff\".t in database 'shop', "
                            + "in a transaction open for "))
                #expect(
                    found[0].hint
                        == "The dump waits for it as long as lock_timeout, then fails. Let it finish, or end it: "
                        + "SELECT pg_terminate_backend(\(pid)).")
                // A database that is not dumped is nobody's business.
                #expect(try await findings(cluster.provider { $0.exclude = ["shop"] }) == [])
            }
            #expect(try await findings(cluster.provider()) == [])
        }
    }

    @Test("Who waits for such a lock is named with those it waits for")
    func awaited() async throws {
        try await ClusterFixture.withShop { cluster in
            let reading = "select count(*) from pg_locks where relation = 'orders'::regclass"
            try await cluster.whileSession("begin; table orders limit 1", in: "shop", isSeenBy: reading) { reader in
                let waiting = "select count(*) from pg_locks where not granted"
                try await cluster.whileSession("begin; lock table orders", in: "shop", isSeenBy: waiting) { pid in
                    let found = try await findings(cluster.provider())
                    #expect(found.map(\.code) == ["lock_awaited"])
                    #expect(found[0].object == "shop.public.orders")
                    let start =
                        "session \(pid) of role 'postgres' waits for an ACCESS EXCLUSIVE lock on public.orders in database 'shop' for "
                    #expect(
                        found[0].message.hasPrefix(start) && found[0].message.hasSuffix(", behind session \(reader)"))
                }
            }
        }
    }

    @Test("A table that only its own transaction knows, an index, and a lock that lets readers by are no obstacle")
    func harmless() async throws {
        try await ClusterFixture.withShop { cluster in
            let statements =
                "begin; create table fresh (id int primary key); lock table customers in exclusive mode; reindex index orders_pkey"
            try await cluster.whileSession(statements, in: "shop", isSeenBy: hasExclusiveLock) { _ in
                let found = try await findings(cluster.provider())
                #expect(found == [])
            }
        }
    }

    @Test("A prepared transaction with such a lock is named, although no session has it")
    func prepared() async throws {
        try await ClusterFixture.withShop(settings: ["max_prepared_transactions = 2"]) { cluster in
            try await cluster.server.psql("begin; lock table orders; prepare transaction 'half done'", in: "shop")
            let found = try await findings(cluster.provider()).filter { $0.code == "lock_held" }
            #expect(found.count == 1)
            #expect(
                found.first?.message.hasPrefix(
                    "prepared transaction 'half done' holds an ACCESS EXCLUSIVE lock on public.orders in database 'shop'"
                )
                    == true)
            #expect(found.first?.hint?.hasSuffix("end it: COMMIT PREPARED or ROLLBACK PREPARED.") == true)
            let waiting = "select count(*) from pg_locks where not granted"
            try await cluster.whileSession("begin; lock table orders", in: "shop", isSeenBy: waiting) { _ in
                let awaited = try await findings(cluster.provider()).first { $0.code == "lock_awaited" }
                #expect(awaited?.message.hasSuffix(", behind a prepared transaction") == true)
            }
            try await cluster.server.psql("rollback prepared 'half done'", in: "shop")
        }
    }

    @Test("A transaction that has been open for longer than the limit is named with its state; a younger one is not")
    func longTransaction() async throws {
        try await ClusterFixture.withShop { cluster in
            let session = try await control(cluster)
            let databases = try await ServerFacts.ask(session).databases
            func asked(longerThan limit: Duration, without excluded: String = "") async throws -> [Finding] {
                let wanted = databases.filter { $0.name != excluded }
                return try await ServerActivity.ask(session, about: wanted, longerThan: limit) {
                    _ throws(DumpError) in
                    throw DumpError(.system, "not needed")
                }.findings(of: "postgres")
            }
            let open =
                "select count(*) from pg_stat_activity where application_name = 'other' and xact_start is not null"
            try await cluster.whileSession("begin; table orders limit 1", in: "shop", isSeenBy: open) { pid in
                let found = try await asked(longerThan: .zero)
                #expect(found.map(\.code) == ["transaction_open_long"])
                #expect(found[0].severity == .warning)
                #expect(found[0].object == "shop")
                #expect(found[0].message.hasPrefix("session \(pid) of role 'postgres' has had a transaction open for "))
                #expect(found[0].message.hasSuffix(" in database 'shop' (active)"))
                #expect(found[0].hint?.hasSuffix("end it: SELECT pg_terminate_backend(\(pid)).") == true)
                #expect(try await asked(longerThan: ServerActivity.longTransaction) == [])
                #expect(try await asked(longerThan: .zero, without: "shop") == [])
            }
            #expect(try await asked(longerThan: .zero) == [])
            await session.close()
        }
    }

    @Test("A table whose database cannot be looked into is a number")
    func nameless() async throws {
        try await ClusterFixture.withShop { cluster in
            let session = try await control(cluster)
            let databases = try await ServerFacts.ask(session).databases
            let number = try await cluster.server.psql("select 'orders'::regclass::oid", in: "shop")
            try await cluster.whileSession("begin; lock table orders", in: "shop", isSeenBy: hasExclusiveLock) { _ in
                let activity = try await ServerActivity.ask(session, about: databases) { _ throws(DumpError) in
                    throw DumpError(.sourceUnavailable, "no connection is left")
                }
                #expect(activity.locks.map(\.relations) == [["relation \(number)"]])
            }
            await session.close()
        }
    }

    @Test("A role that may not see other sessions is told so, sees locks all the same, and lacks what it lacks")
    func blind() async throws {
        try await ClusterFixture.withShop { cluster in
            try await cluster.server.psql("create role weak login password 'weak-password'")
            let weak = cluster.provider(password: Secret("weak-password")) {
                $0.connection = cluster.server.connection(as: "weak")
                $0.runAs = nil
            }
            try await cluster.whileSession("begin; lock table orders", in: "shop", isSeenBy: hasExclusiveLock) { pid in
                try await TestRun().prepared(weak) { source in
                    #expect(source.facts["role_lacks"] == "pg_read_all_data, pg_authid, pg_read_all_stats")
                    let note = source.findings.first { $0.code == "sessions_hidden" }
                    #expect(note?.severity == .note)
                    #expect(
                        note?.message
                            == "role 'weak' may not see what sessions of other roles do: long transactions are not found"
                    )
                    #expect(
                        source.findings.first { $0.code == "lock_held" }?.message
                            == "session \(pid) of role 'postgres' holds an ACCESS EXCLUSIVE lock on public.orders in database 'shop'"
                    )
                }
            }
            try await cluster.server.psql("grant pg_read_all_stats to weak")
            try await TestRun().prepared(weak) { source in
                #expect(source.facts["role_lacks"] == "pg_read_all_data, pg_authid")
                #expect(!source.findings.contains { $0.code == "sessions_hidden" })
            }
        }
    }

    @Test("Facts say what the server is, and who we are to it")
    func facts() async throws {
        try await ClusterFixture.with { cluster in
            try await TestRun().prepared(cluster.provider()) { source in
                let server = try await cluster.server.psql("show server_version").split(separator: " ")[0]
                #expect(source.facts["server_version"] == String(server))
                #expect(source.facts["client_directory"] == PostgreSQLServer.binDirectory.string)
                #expect(source.facts["in_recovery"] == "false")
                #expect(source.facts["role"] == "postgres")
                #expect(source.facts["role_lacks"] == "nothing")
                #expect(source.facts["databases"] == "2")
            }
        }
    }

    private let hasExclusiveLock = "select count(*) from pg_locks where mode = 'AccessExclusiveLock' and granted"

    /// What prepare finds, but for what depends on the psql of this machine.
    private func findings(_ provider: PostgreSQLProvider) async throws -> [Finding] {
        try await TestRun().prepared(provider) { $0.findings.ofTheSource }
    }

    private func control(_ cluster: ClusterFixture) async throws -> Session {
        try await Session.connect(
            ConnectionOptions(parsing: cluster.server.connection + " dbname=postgres"), password: nil,
            as: UserAccount(named: PostgreSQLServer.user))
    }
}

extension ClusterFixture {
    /// Runs `body`, with its pid, while another session is where these statements lead it, as soon as `query` counts something.
    fileprivate func whileSession(
        _ statements: String, in database: String, isSeenBy query: String, _ body: (String) async throws -> Void
    ) async throws {
        let name = "other"
        let holder = Task {
            try await server.psql(
                "set application_name to \(name); \(statements); select pg_sleep(600)", in: database)
        }
        try await eventually { try await server.psql(query, in: database) != "0" }
        let pid = try await server.psql(
            "select pid from pg_stat_activity where application_name = '\(name)' order by backend_start desc limit 1")
        let outcome: Swift.Result<Void, any Error>
        do { outcome = .success(try await body(pid)) } catch { outcome = .failure(error) }
        try await server.psql("select pg_terminate_backend(\(pid), 10000)")
        // Its connection was cut, which psql reports.
        _ = try? await holder.value
        try outcome.get()
    }
}

extension [Finding] {
    /// Without what depends on the programs of this machine.
    var ofTheSource: [Finding] { filter { $0.code != "psql_unsafe" } }
}
