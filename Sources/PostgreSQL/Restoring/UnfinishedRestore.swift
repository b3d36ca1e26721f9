import DumpCore
import Processes

/// What a restore makes and closes until all of it has its final names, which it gets in one transaction. On record before anything is made.
struct UnfinishedRestore: UndoFacts, Equatable {
    static let recordKind = "databases_restored"

    /// A database whose name another is to get.
    struct Replaced: Sendable, Equatable {
        var oid: Int64
        var name: String
        var kept: String
        var allowsConnections: Bool
    }

    /// As the operator gave them.
    var conninfo: String?
    var user: String?
    /// Where that led to.
    var host: String
    var address: String
    var port: String
    var systemIdentifier: String
    /// Databases under the names of those that are not finished.
    var fresh: [String]
    /// Names that nothing has before the end, and that something has from then on.
    var witnesses: [String]
    var replaced: [Replaced] = []
    /// Those that were not there before.
    var roles: [String] = []
    var tablespaces: [String] = []
    /// A database that the others are renamed from.
    var helper: String?

    var kind: String { Self.recordKind }

    var recorded: [String: String] {
        var facts = ["host": host, "address": address, "port": port, "system_identifier": systemIdentifier]
        facts["target"] = conninfo
        facts["user"] = user
        facts["helper"] = helper
        for (prefix, names) in [
            ("fresh", fresh), ("witness", witnesses), ("role", roles), ("tablespace", tablespaces),
            ("replaced_oid", replaced.map { String($0.oid) }), ("replaced_name", replaced.map(\.name)),
            ("replaced_kept", replaced.map(\.kept)),
            ("replaced_open", replaced.map { $0.allowsConnections ? "true" : "false" }),
        ] {
            for (number, name) in names.enumerated() { facts["\(prefix).\(number)"] = name }
        }
        return facts
    }
}

extension UnfinishedRestore {
    init(of record: UndoRecord) throws(DumpError) {
        guard record.kind == Self.recordKind else { throw DumpError(unknown: record) }
        conninfo = record.fact(ifAny: "target")
        user = record.fact(ifAny: "user")
        helper = record.fact(ifAny: "helper")
        host = try record.fact("host")
        address = try record.fact("address")
        port = try record.fact("port")
        systemIdentifier = try record.fact("system_identifier")
        fresh = record.list("fresh")
        witnesses = record.list("witness")
        roles = record.list("role")
        tablespaces = record.list("tablespace")
        replaced = []
        for number in record.list("replaced_oid").indices {
            replaced.append(
                Replaced(
                    oid: Int64(try record.fact("replaced_oid.\(number)")) ?? 0,
                    name: try record.fact("replaced_name.\(number)"), kept: try record.fact("replaced_kept.\(number)"),
                    allowsConnections: try record.fact("replaced_open.\(number)") == "true"))
        }
    }
}

extension UndoRecord {
    /// The facts `prefix.0`, `prefix.1` and so on.
    fileprivate func list(_ prefix: String) -> [String] {
        let all = facts(named: prefix + ".")
        return (0..<all.count).compactMap { all["\(prefix).\($0)"] }
    }
}

/// What came of undoing a restore.
struct UndoneRestore: Sendable, Equatable {
    /// The restore had come to its end: everything has its final name, and stays.
    var wasFinished = false
    /// Databases and roles that are gone.
    var dropped: [String] = []
    /// Roles and tablespaces that something else uses by now.
    var left: [String] = []
}

extension UnfinishedRestore {
    /// Drops what is not finished and lets clients into what was to be replaced. May be called again, and after any step.
    @discardableResult
    func undo(by runner: ProgramRunner, in run: RunContext) async throws(DumpError) -> UndoneRestore {
        try await letIn(by: runner, in: run)
        let target = try await connected(besides: fresh, by: runner, in: run)
        if let helper { _ = try await target.drop(database: helper) }
        guard try await !isFinished(on: target) else { return UndoneRestore(wasFinished: true) }
        var undone = UndoneRestore()
        for name in fresh where try await target.drop(database: name) { undone.dropped.append(name) }
        for name in tablespaces.reversed() { try await target.drop("tablespace", name, &undone) }
        for name in roles.reversed() { try await target.drop("role", name, &undone) }
        if !undone.left.isEmpty {
            run.log.warning(
                "something else uses what the restore had made, and it stays",
                metadata: ["dump": "\(run.dump)", "names": "\(undone.left.joined(separator: ", "))"])
        }
        return undone
    }

    /// By way of any database that still lets us in: that of a new one, if need be.
    private func letIn(by runner: ProgramRunner, in run: RunContext) async throws(DumpError) {
        guard !replaced.isEmpty else { return }
        let target = try await connected(besides: [], by: runner, in: run)
        try await target.changing { session throws(DumpError) in
            for database in replaced {
                let rows = try await session.query(
                    "select datname as name, datallowconn as is_open from pg_database where oid::text = $1",
                    [String(database.oid)])
                guard let row = rows.first, try row.flag("is_open") != database.allowsConnections else { continue }
                let name = try row.text("name")
                try await session.change(
                    "alter database \(name.asIdentifier) allow_connections \(database.allowsConnections)")
            }
        }
    }

    private func connected(
        besides excluded: [String], by runner: ProgramRunner, in run: RunContext
    ) async throws(DumpError) -> RestoreTarget {
        let own = try RestoreConnection(conninfo, as: user).options["dbname"]
        var candidates =
            [own, "postgres", "template1"].compactMap(\.self) + fresh + replaced.flatMap { [$0.kept, $0.name] }
        candidates.removeAll { name in excluded.contains { $0.nameBytes == name.nameBytes } }
        // The last of several errors is reported, which should be about the operator's own role.
        candidates += own.map { [$0] } ?? []
        let place = Session.Endpoint(host: host, address: address, port: port, user: "", database: "")
        let target = try await RestoreTarget.connect(
            to: conninfo, as: user, runner: runner, databases: candidates, at: place, for: run)
        guard target.facts.systemIdentifier == systemIdentifier else {
            throw DumpError(
                .sourceUnavailable,
                "another server answers at \(host), port \(port), than the one that was restored to",
                hint: "If that server is gone, nothing is left to undo: remove the file of the record.")
        }
        return target
    }

    /// Whether the transaction that gives all final names was committed.
    func isFinished(on target: RestoreTarget) async throws(DumpError) -> Bool {
        let names = try await target.reading { session throws(DumpError) in
            Set(try await session.texts("select datname as name from pg_database", "name").map(\.nameBytes))
        }
        return !fresh.contains { names.contains($0.nameBytes) } && witnesses.contains { names.contains($0.nameBytes) }
    }
}

extension RestoreTarget {
    /// Drops a role or tablespace that is there, unless something depends on it.
    fileprivate func drop(_ kind: String, _ name: String, _ undone: inout UndoneRestore) async throws(DumpError) {
        let outcome = try await changing { session throws(DumpError) -> Bool? in
            let catalog = kind == "role" ? "pg_roles where rolname" : "pg_tablespace where spcname"
            guard try await !session.query("select 1 from \(catalog) = $1", [name]).isEmpty else { return nil }
            do throws(DumpError) {
                try await session.change("drop \(kind) \(name.asIdentifier)")
                return true
            } catch {
                // Dependent objects, a role in use, or a tablespace that is not empty.
                guard ["2BP01", "55006", "55000"].contains(error.context["sqlstate"]) else { throw error }
                return false
            }
        }
        switch outcome {
        case true?: undone.dropped.append(name)
        case false?: undone.left.append(name)
        case nil: break
        }
    }
}
