import Checksums
import DumpCore
import Linux
import Processes
import SystemPackage

/// One script of pg_dumpall: the roles and tablespaces, or the whole cluster.
struct ScriptDump: Sendable {
    /// What is dumped, for messages.
    var subject: String
    var unit: WorkUnit
    /// The directory of the whole dump.
    var directory: FilePath
    var client: Client
    var access: ClusterAccess
    var watch: ServerWatch
    /// Which part of the cluster, and how.
    var arguments: [String]
    /// Whose creation and removal the script must not attempt.
    var bootstrapRole: BootstrapRole
    var settingsOfAllRoles: SettingsOfAllRoles
    /// The databases that the script must hold.
    var databases: [String] = []

    private var path: FilePath { directory.pushing(unit.path) }

    /// - Parameter onTurn: called when its turn has come.
    func take(in run: RunContext, onTurn: @Sendable () -> Void = {}) async throws(DumpError) -> DumpedPart {
        try await run.perform(unit, isUrgent: true) { () throws(DumpError) in
            onTurn()
            return try await written(in: run)
        }
    }

    private func written(in run: RunContext) async throws(DumpError) -> DumpedPart {
        let start = Timestamp.now
        var findings = try await write(in: run)
        let end = Timestamp.now
        if let finding = try commentOutBootstrapRole() { findings.append(finding) }
        let (digest, isRestricted) = try await verified()
        if !isRestricted { findings.append(unrestricted) }
        return DumpedPart(from: start, to: end, findings: findings, digests: [unit.path: digest])
    }

    /// Standard output is our own file: no other user has to reach it, and no byte passes through us.
    private func write(in run: RunContext) async throws(DumpError) -> [Finding] {
        let followed = FollowedUnit(
            unit, of: "pg_dumpall of \(subject)", below: directory, databases: databases, by: access, in: run)
        let program = program(as: followed.applicationName)
        let file: FileDescriptor
        do {
            file = try FileDescriptor.open(
                path, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec], permissions: .ownerReadWrite)
        } catch {
            throw DumpError(creating: path, error)
        }
        let remarks = ProgramRemarks()
        let outcome = await Result.awaiting { () async throws(DumpError) in
            try writePrologue(to: file)
            return try await watch.following(followed) { () throws(DumpError) in
                try await access.run(program, output: .file(file), onErrorLine: remarks.add)
            }
        }
        do { try file.close() } catch { throw DumpError(.system, "cannot close \(path): \(error)", underlying: error) }
        let ended = try outcome.get()
        guard ended.succeeded else { throw failure.error(ended) }
        return remarks.findings(about: unit.name)
    }

    /// pg_dumpall goes on where this ends, because both share the descriptor's position.
    private func writePrologue(to file: FileDescriptor) throws(DumpError) {
        let own = bootstrapRole.prologue + settingsOfAllRoles.prologue
        // Our own lines are in UTF-8, whatever psql takes for granted. The script says what the others are in.
        let prologue = own.utf8.allSatisfy { $0 < 0x80 } ? own : "\\encoding UTF8\n" + own
        do { _ = try file.writeAll(prologue.utf8) } catch { throw DumpError(creating: path, error) }
    }

    /// Says so if the script keeps a statement that will fail.
    private func commentOutBootstrapRole() throws(DumpError) -> Finding? {
        do {
            let script = try FileDescriptor.open(path, .readWrite, options: .closeOnExec)
            let found = try script.closeAfter { try bootstrapRole.commentOut(in: script) }
            return found ? nil : bootstrapRole.findingOfCreation
        } catch {
            throw DumpError(.system, "cannot edit \(path): \(error)", underlying: error)
        }
    }

    private func program(as applicationName: String) -> Program {
        access.program(
            client.path(of: .pgDumpAll),
            arguments + [
                // As a connection string, so that no name is taken for one.
                "--no-password", "--database=\(ConnectionOptions.conninfo("dbname", access.controlDatabase))",
                "--dbname=\(access.named(applicationName).options.conninfo)",
            ])
    }

    private var unrestricted: Finding {
        Finding(
            .warning, "script_not_restricted", object: unit.name,
            "psql can be made to run programs by names and comments in \(unit.path): its pg_dumpall is older than \\restrict",
            hint: "Install the newest minor release of PostgreSQL's client programs.")
    }

    private func verified() async throws(DumpError) -> (digest: FileDigest, isRestricted: Bool) {
        try await onOwnThreadUntilCancelled { stop throws(DumpError) in
            var inspector = ScriptInspector()
            let digest: FileDigest
            try requireNoWriter()
            do {
                digest = try FileScan(path).digest { chunk in
                    try stop.checkVerification()
                    inspector.take(chunk)
                }
            } catch {
                throw DumpError(ofReading: error)
            }
            try requireComplete(inspector)
            return (digest, inspector.isRestricted)
        }
    }

    /// A program of another user had our file for its standard output, and may have handed it on.
    private func requireNoWriter() throws(DumpError) {
        guard access.user != nil else { return }
        do {
            try OpenDirectory(directory).requireNoWriter(of: unit.path)
        } catch {
            throw DumpError(takingOver: path, error)
        }
    }

    private func requireComplete(_ inspector: ScriptInspector) throws(DumpError) {
        guard inspector.isComplete else {
            // pg_dumpall does not check that its own lines could be written. If that cannot be found out, it is not the reason.
            let free = (try? FileSystem.availableBytes(at: directory)) ?? .max
            guard free >= unit.estimatedBytes else { throw failure.noSpace(FailureCause.freeSpaceHint) }
            throw DumpError.incomplete(subject, "it does not end with 'database cluster dump complete'", path)
        }
        let missing = inspector.missing(from: databases).map { "'\($0)'" }
        guard missing.isEmpty else {
            throw DumpError.incomplete(subject, "not in it: database \(missing.joined(separator: ", "))", path)
        }
    }

    private var failure: ProgramFailure {
        ProgramFailure(tool: .pgDumpAll, subject: subject, directory: directory, expectedBytes: unit.estimatedBytes)
    }
}
