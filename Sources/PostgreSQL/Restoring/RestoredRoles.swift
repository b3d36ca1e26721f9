import DumpCore
import Linux
import Processes
import SystemPackage

/// The roles and tablespaces that a restore makes before it makes databases. Existing ones are never altered.
struct RestoredRoles: Sendable {
    enum Way: Sendable {
        case nothing
        /// The whole script, as the server has only what initdb made.
        case script
        /// These statements, which may hold hashes of passwords.
        case statements([String])
    }

    var way: Way
    /// In the order in which they are made.
    var names: [String] = []
    var tablespaces: [String] = []
    var findings: [Finding] = []

    /// What is missing on the server, by the dump's own files.
    static func plan(
        _ restore: PreparedPostgreSQLRestore, from directory: FilePath
    ) async throws(DumpError) -> RestoredRoles {
        guard restore.tables == nil else { return RestoredRoles(way: .nothing) }
        let script = try globals(in: directory)
        let existing = try await restore.target.reading { session throws(DumpError) in
            Set(try await session.texts("select rolname as name from pg_roles", "name").map(\.nameBytes))
        }
        let missing = script.roles.filter { !existing.contains($0.nameBytes) }
        guard !restore.isEmptyServer else {
            return RestoredRoles(way: .script, names: missing, tablespaces: script.tablespaces.map(\.name))
        }
        let needed = try needed(by: restore, from: directory, among: Set(missing.map(\.nameBytes)))
        let made = script.withGroups(of: needed).subtracting(existing)
        let names = missing.filter { made.contains($0.nameBytes) }
        let statements = script.statements(making: made, besides: existing)
        let left = script.memberships(in: made, of: existing)
        return RestoredRoles(
            way: names.isEmpty ? .nothing : .statements(statements), names: names,
            findings: names.map(Finding.created) + left.map(Finding.leftOut))
    }

    private static func globals(in directory: FilePath) throws(DumpError) -> GlobalsScript {
        let path = directory.appending(GlobalsScript.file.string)
        do {
            return try GlobalsScript(try FileSystem.bytes(of: path, atMost: Int(GlobalsScript.sizeLimit)))
        } catch let error as DumpError {
            throw error
        } catch {
            throw DumpError(.incompleteDump, "cannot read \(path): \(error)", underlying: error)
        }
    }

    /// Owners, grantees and those with settings, by the archives and the manifest.
    private static func needed(
        by restore: PreparedPostgreSQLRestore, from directory: FilePath, among names: Set<[UInt8]>
    ) throws(DumpError) -> Set<[UInt8]> {
        guard !names.isEmpty else { return [] }
        var needed: Set<[UInt8]> = []
        for database in restore.databases {
            needed.formUnion(database.dumped.needs.roles.map(\.nameBytes))
            let path = directory.pushing(database.dumped.path).appending(ArchiveVerification.contentsFile)
            needed.formUnion(try ArchiveEntries.read(path).roles(among: names))
        }
        return needed.intersection(names)
    }
}

extension RestoredRoles {
    /// All of them or none.
    func create(
        on target: RestoreTarget, by client: Client, from directory: FilePath, in run: RunContext
    ) async throws(DumpError) {
        switch way {
        case .nothing: return
        case .statements(let statements):
            run.log.notice(
                "creating missing roles",
                metadata: ["dump": "\(run.dump)", "roles": "\(names.joined(separator: ", "))"])
            // In one message, which is one transaction.
            try await target.changing { session throws(DumpError) in
                do throws(DumpError) {
                    try await session.perform(statements.joined(separator: ";\n"))
                } catch {
                    var error = error
                    error.message = "cannot create the missing roles: \(error.message)"
                    throw error
                }
            }
        case .script: try await runScript(on: target, by: client, from: directory, in: run)
        }
    }

    private func runScript(
        on target: RestoreTarget, by client: Client, from directory: FilePath, in run: RunContext
    ) async throws(DumpError) {
        run.log.notice("creating all roles and tablespaces", metadata: ["dump": "\(run.dump)"])
        let psql = client.directory.appending("psql")
        guard Executables.isExecutable(psql) else {
            throw DumpError(
                .programUnsuitable,
                "there is no psql in \(client.directory), which an empty server needs for its roles",
                hint: "Install the whole client package of PostgreSQL \(client.version.major).")
        }
        let program = target.access.program(
            psql,
            [
                "--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1",
                "--dbname=\(target.access.conninfo(database: target.controlDatabase))",
                "--file=\(Program.directoryPath.appending(GlobalsScript.file.string))",
            ], directory: directory)
        let outcome = try await target.access.run(program)
        guard outcome.succeeded else {
            throw DumpError(
                .programFailed, "psql of \(GlobalsScript.file) \(outcome.status)",
                hint: "Make what it complains of, or create roles and tablespaces by hand: on a server that has some, "
                    + "a restore creates those that are missing.",
                // Only what the server says: with an error psql repeats the line, which may hold the hash of a password.
                context: ["stderr": outcome.lastErrorLines.filter(\.isOfServer).joined(separator: "\n")])
        }
    }
}

extension String {
    /// Whether a line of psql's tells of an error without what it read, which may hold the hash of a password.
    var isOfServer: Bool {
        ["ERROR:", "FATAL:", "DETAIL:", "HINT:", "psql: error:"].contains { contains($0) } && !contains("PASSWORD")
    }
}

extension Finding {
    fileprivate static func created(_ role: String) -> Finding {
        Finding(.note, "role_created", object: role, "role '\(role)' was created")
    }

    fileprivate static func leftOut(_ membership: String) -> Finding {
        Finding(
            .warning, "membership_left_out", object: membership,
            "a role that was there already is not a member of one that was created",
            hint: "If it is to be, run: \(membership.trimmed)")
    }
}
