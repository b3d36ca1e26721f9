import DumpCore
import Processes

extension Drill {
    /// Has pg_amcheck look at every table and index, each index against its table's rows. It comes last: it installs an extension.
    func checkStructure(_ outcome: inout RestoreOutcome) async throws(DumpError) {
        guard server.settings.major >= 14 else {
            return outcome.leaveOut("structure (pg_amcheck comes with PostgreSQL 14 and newer)")
        }
        for place in outcome.items.indices where outcome.items[place].item != Cluster.globals.name {
            let name = outcome.items[place].name
            guard let found = try await structureFaults(of: name) else {
                outcome.leaveOut("structure (extension amcheck is not installed)")
                outcome.findings.append(.noStructureCheck(server.settings.major))
                return
            }
            outcome.items[place].comparison.compared["structure"] = 1
            guard !found.isEmpty else { continue }
            outcome.items[place].comparison.differences.append(
                RestoreComparison.Difference(fact: "structure", object: name, expected: "sound", found: found))
        }
    }

    /// What is damaged, in the program's words; empty if nothing is. Nil if the check is not installed.
    private func structureFaults(of database: String) async throws(DumpError) -> String? {
        guard Executables.isExecutable(server.server.programs.path(of: "pg_amcheck")) else { return nil }
        var options = try server.options
        options["host"] = server.server.ownDirectory.string
        options["dbname"] = database
        let outcome = try await server.server.run(
            "pg_amcheck",
            [
                "--no-password", "--heapallindexed", "--install-missing", "--jobs=\(max(request.jobs, 1))",
                options.conninfo,
            ], output: .collect(limit: 16 << 20))
        switch outcome.status {
        case .exited(0): return ""
        // Its own status for what it found.
        case .exited(2): return String(decoding: outcome.output.prefix(2000), as: UTF8.self).trimmed.onOneLine
        default:
            if outcome.lastErrors.contains("extension control file") || outcome.lastErrors.contains("is not available")
            {
                return nil
            }
            throw DumpError(
                .programFailed, "pg_amcheck of database '\(database)' \(outcome.status)",
                context: ["stderr": outcome.lastErrors])
        }
    }
}

extension RestoreOutcome {
    fileprivate mutating func leaveOut(_ what: String) {
        for place in items.indices where items[place].item != Cluster.globals.name {
            items[place].comparison.notCompared.append(what)
        }
    }
}

extension Finding {
    fileprivate static func noStructureCheck(_ major: Int) -> Finding {
        Finding(
            .warning, "amcheck_missing", object: "pg_amcheck",
            "the structure of tables and indexes was not checked: pg_amcheck or its extension is not installed",
            hint:
                "On Debian: apt-get install postgresql-\(major). Elsewhere: install the contrib package of the server.")
    }
}
