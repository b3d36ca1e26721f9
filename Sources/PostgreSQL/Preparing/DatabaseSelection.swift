import DumpCore
import Settings

/// Which databases of a server are dumped, and the findings about the others.
///
/// As pg_dumpall does: every database that accepts connections, `postgres` and `template1` among them. `template0` is as the
/// server was delivered, and neither dumped nor missed unless it is named.
struct DatabaseSelection: Sendable {
    private(set) var selected: [ServerFacts.Database] = []
    /// Databases that could be dumped but shall not be.
    private(set) var excluded: [ServerFacts.Database] = []
    private(set) var findings: [Finding] = []
    /// Databases that are not dumped, whether that is wanted or not.
    private(set) var omissions: [Finding] = []

    init(of databases: [ServerFacts.Database], include: [String], exclude: [String]) {
        let (include, exclude) = (include.map(Glob.init), exclude.map(Glob.init))
        let candidates = databases.filter { database in
            database.name != "template0" || include.contains { $0.isPlainName && $0.matches(database.name) }
        }
        for glob in include + exclude where !candidates.contains(where: { glob.matches($0.name) }) {
            findings.append(
                glob.isPlainName
                    ? Self.notFound(glob.pattern, among: candidates.map(\.name)) : Self.unmatched(glob.pattern))
        }
        for database in candidates {
            let isWanted = include.contains { $0.matches(database.name) }
            let isNamed = include.contains { $0.isPlainName && $0.matches(database.name) }
            if !isWanted || exclude.contains(where: { $0.matches(database.name) }) {
                leaveOut(database)
            } else if database.isInvalid || !database.allowsConnections {
                miss(database, wasNamed: isNamed)
            } else {
                take(database)
            }
        }
        if selected.isEmpty, (findings + omissions).allSatisfy({ $0.severity < .failure }) {
            findings.append(
                Finding(
                    .failure, "no_database_selected", object: "databases",
                    "no database is left to dump: \(candidates.count) on the server, none included or all excluded",
                    hint: "Widen 'databases: include:' or narrow 'databases: exclude:'."))
        }
    }

    private mutating func take(_ database: ServerFacts.Database) {
        selected.append(database)
        guard !database.mayConnect else { return }
        findings.append(
            Finding(
                .failure, "database_connect_denied", object: database.name,
                "the role may not connect to database '\(database.name)'",
                hint: "GRANT CONNECT on it to the role, or list it under 'databases: exclude:'."))
    }

    private mutating func leaveOut(_ database: ServerFacts.Database) {
        omissions.append(
            Finding(
                .note, .databaseExcluded, object: database.name,
                "database '\(database.name)' is excluded by the job file",
                hint: "If it should not be, change 'databases:' there."))
        if database.allowsConnections, !database.isInvalid { excluded.append(database) }
    }

    private mutating func miss(_ database: ServerFacts.Database, wasNamed: Bool) {
        let severity: Finding.Severity = wasNamed ? .failure : .warning
        omissions.append(
            database.isInvalid
                ? Finding(
                    severity, .databaseInvalid, object: database.name,
                    "database '\(database.name)' is the rest of an interrupted DROP DATABASE", hint: "Drop it.")
                : Finding(
                    severity, .databaseNotConnectable, object: database.name,
                    "database '\(database.name)' accepts no connections and cannot be dumped",
                    hint: "ALTER DATABASE … ALLOW_CONNECTIONS true, or list it under 'databases: exclude:'."))
    }

    private static func unmatched(_ pattern: String) -> Finding {
        Finding(
            .note, "pattern_unmatched", object: pattern, "pattern '\(pattern)' of databases: matches no database",
            hint: "If it should match one: psql -l lists the names, and case matters.")
    }

    private static func notFound(_ name: String, among names: [String]) -> Finding {
        let listed = names.prefix(10).map { "'\($0)'" }.joined(separator: ", ")
        return Finding(
            .failure, "database_not_found", object: name, "no database is called '\(name)'",
            hint: nearestWord(to: name, among: names).map { "Did you mean '\($0)'?" } ?? "The server has \(listed).")
    }
}
