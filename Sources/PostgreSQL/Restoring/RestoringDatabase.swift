import DumpCore
import SystemPackage

/// One database on its way from the dump to the server, with the names that it has there.
struct RestoringDatabase: Sendable {
    var dumped: DumpedDatabase
    /// While it is filled and compared.
    var fresh: String
    /// Afterwards.
    var final: String
    /// What has that name now, and is to make way; nil if nothing has it.
    var live: ServerFacts.Database?
    /// What that will be called.
    var kept: String?
    /// What it will take on disk, about.
    var bytes: Int64

    var plan: RestorePlan { RestorePlan(item: dumped.name, name: final, kept: kept, bytes: bytes) }
    var subject: String { "database '\(dumped.name)'" }

    /// Estimated in the manifest's terms: the dump's bytes by the share of rows, with what indexes take.
    static func estimatedBytes(of database: DatabaseContents, in dump: Manifest.DumpRecord) -> Int64 {
        let rows = { (database: DatabaseContents) in database.tables.lazy.map(\.rows).total }
        let all = dump.databases.lazy.map(rows).total
        let share = Double(rows(database)) / Double(max(all, 1))
        return Int64(nearest: Double(dump.bytes) * share * 1.4).plus(emptyDatabase)
    }

    /// What a database takes that holds nothing.
    private static let emptyDatabase: Int64 = 8 << 20
}

extension DatabaseContents {
    /// Whether there is anything in it to look at: every server has a `postgres` and a `template1`, and most are empty.
    fileprivate var hasSomething: Bool {
        guard ["postgres", "template1"].contains(name), let record else { return true }
        let own = record.objects.filter { $0.key != "extension" && $0.value > 0 }
        return !tables.isEmpty || !own.isEmpty || record.settings != [] || (record.largeObjects ?? 0) > 0
    }
}

/// Which databases of a dump are restored, and under which names.
struct RestoreSelection: Sendable {
    var databases: [DatabaseContents] = []
    var findings: [Finding] = []

    init(_ request: RestoreRequest, of dump: Manifest.DumpRecord) {
        if request.items.isEmpty {
            databases = request.placement == .beside ? dump.databases.filter(\.hasSomething) : dump.databases
        } else {
            choose(request.items, from: dump)
        }
        findings += Self.script(dump)
    }

    private mutating func choose(_ items: [String], from dump: Manifest.DumpRecord) {
        var seen: Set<[UInt8]> = []
        for item in items where seen.insert(item.nameBytes).inserted {
            if let found = dump.databases.first(where: { $0.name.nameBytes == item.nameBytes }) {
                databases.append(found)
            } else {
                findings.append(
                    .unknown("database", item, among: dump.databases.map(\.name), code: "restore_database_unknown"))
            }
        }
    }

    /// A script of pg_dumpall drops and replaces all databases that it holds.
    private static func script(_ dump: Manifest.DumpRecord) -> [Finding] {
        guard let script = dump.script else { return [] }
        return [
            Finding(
                .failure, "restore_of_script", object: script.string,
                "the dump is one script, \(script), which replaces every database of the server that it is run on",
                hint: "Extract it with muster extract, and on an empty server run: "
                    + "psql -X -v ON_ERROR_STOP=1 -d postgres -f \(dump.directory.pushing(script)). "
                    + "muster drill proves that this works.")
        ]
    }
}

extension Manifest.DumpRecord {
    /// With `layout: cluster` the script of everything, relative to the dump's directory.
    var script: FilePath? {
        databases.first { !$0.path.hasBytePrefix("databases/") }.map { FilePath($0.path) }
    }
}

extension RestoreSelection {
    /// With the names that they get on the server.
    func named(
        by request: RestoreRequest, on facts: ServerFacts, _ dumped: [DumpedDatabase], _ run: RunID,
        of dump: Manifest.DumpRecord
    ) -> (databases: [RestoringDatabase], findings: [Finding]) {
        let names = RestoreNames(run: run)
        var findings: [Finding] = []
        var databases: [RestoringDatabase] = []
        var taken = Set(facts.databases.map(\.name.nameBytes))
        for database in dumped {
            let fresh = names.unfinished(database.name, besides: taken)
            taken.insert(fresh.nameBytes)
            var restoring = RestoringDatabase(
                dumped: database, fresh: fresh, final: database.name,
                bytes: RestoringDatabase.estimatedBytes(of: database.contents, in: dump))
            switch request.placement {
            case .beside: restoring.final = names.beside(database.name, besides: taken)
            case .named(let name):
                restoring.final = name
                findings += Self.faults(of: name, taken, dumped.count)
            case .replacing:
                restoring.live = facts.databases.first { $0.name.nameBytes == database.name.nameBytes }
                restoring.kept = restoring.live.map { names.kept($0.name, besides: taken) }
                if let live = restoring.live { findings += Self.faults(ofReplacing: live, request) }
            }
            for name in [restoring.final, restoring.kept].compactMap(\.self) { taken.insert(name.nameBytes) }
            databases.append(restoring)
        }
        return (databases, findings)
    }

    private static func faults(of name: String, _ taken: Set<[UInt8]>, _ count: Int) -> [Finding] {
        var findings: [Finding] = []
        if count > 1 {
            findings.append(
                Finding(
                    .failure, "restore_name_for_one", object: name,
                    "\(count) databases cannot all be called '\(name)'", hint: "Choose one with --database."))
        }
        if name.isEmpty || name.utf8.count > RestoreNames.longest {
            findings.append(
                Finding(
                    .failure, "restore_name_unfit", object: name,
                    "a database's name has 1 to \(RestoreNames.longest) bytes, and '\(name)' has \(name.utf8.count)",
                    hint: "Choose a shorter name."))
        }
        if taken.contains(name.nameBytes) {
            findings.append(
                Finding(
                    .failure, "restore_name_taken", object: name, "the server has a database '\(name)' already",
                    hint: "Choose another name, or replace that database with --replace."))
        }
        return findings
    }

    private static func faults(
        ofReplacing live: ServerFacts.Database, _ request: RestoreRequest
    ) -> [Finding] {
        if !request.pieces.isEmpty {
            return [
                Finding(
                    .failure, "restore_pieces_replace", object: live.name,
                    "single tables are restored beside database '\(live.name)', and never in its place",
                    hint: "Leave out --replace, and copy the rows that you need from the restored table.")
            ]
        }
        guard live.name == "template0" else { return [] }
        return [
            Finding(
                .failure, "restore_name_taken", object: live.name, "template0 is as PostgreSQL brings it, and stays so",
                hint: "Choose another name with --as.")
        ]
    }
}

extension Finding {
    /// For an operator's slip.
    static func unknown(_ what: String, _ name: String, among names: [String], code: String) -> Finding {
        let near = nearestName(to: name, among: names).map { "Did you mean '\($0)'?" }
        let all = names.prefix(20).map { "'\($0)'" }.joined(separator: ", ")
        return Finding(
            .failure, code, object: name, "the dump has no \(what) '\(name)'",
            hint: near ?? (names.isEmpty ? "It has none at all." : "It has \(all)."))
    }
}
