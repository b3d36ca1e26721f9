import DumpCore
import Linux
import Processes
import SystemPackage

/// One database, dumped by pg_dump in directory format and verified.
struct DatabaseDump: Sendable {
    var source: FrozenDatabase
    var cluster: Cluster
    /// A session that is in no transaction.
    var control: Session
    /// The directory of the whole dump. `databases` is there.
    var directory: FilePath
    var client: Client
    var watch: ServerWatch
    var jobs: Int

    var unit: WorkUnit { cluster.unit(for: source.open.database) }
    /// This database's part of the directory.
    var target: FilePath { directory.pushing(unit.path) }
    var database: String { source.open.database.name }
    private var subject: String { "database '\(database)'" }
    private var access: ClusterAccess { cluster.access }

    /// Dumps within a slot of the run, and verifies outside of it: meanwhile the slot keeps the server busy with the next one.
    func take(in run: RunContext) async throws(DumpError) -> DumpedPart {
        do {
            let written = try await run.perform(unit) { () throws(DumpError) in try await write(in: run) }
            let archive = try await verified(written, try await list(), in: run)
            let (tables, damaged) = try await stored(archive, from: written, in: run)
            return DumpedPart(
                from: written.start, to: .now, findings: findings(about: written, archive),
                omissions: written.facts.omissions,
                databases: [
                    DatabaseContents(
                        name: database, path: unit.path.string,
                        tables: written.facts.recorded.columns.added(to: tables),
                        record: written.facts.recorded.record)
                ], renamed: renamed(archive, in: run), damaged: damaged, freezes: written.freezes)
        } catch {
            if let absence = try await absence(behind: error) { return DumpedPart(leavingOut: absence) }
            throw error.ofDatabase(database)
        }
    }

    /// The tables, the large ones of which may no longer be files.
    private func stored(
        _ archive: VerifiedArchive, from written: WrittenDatabase, in run: RunContext
    ) async throws(DumpError) -> (tables: [TableContents], damaged: DamagedFiles) {
        guard DatabaseGrowth.isOn(cluster.settings, in: run) else { return (archive.tables, DamagedFiles()) }
        return try await DatabaseGrowth(
            settings: cluster.settings, name: database, path: unit.path, target: target, start: written.start, run: run
        ).store(archive)
    }

    /// See `DumpSummary.renamed`.
    private func renamed(_ archive: VerifiedArchive, in run: RunContext) -> [FilePath: FilePath] {
        let former = FormerTables(of: run.shortcuts.previous, at: unit.path)
        return former.renamed(among: archive.files).reduce(into: [:]) { renamed, file in
            renamed[unit.path.appending(file.key)] = unit.path.appending(file.value)
        }
    }

    private func findings(about written: WrittenDatabase, _ archive: VerifiedArchive) -> [Finding] {
        let before = cluster.survey.prepared[database]?.sequences.findings(against: archive.sequences, in: database)
        let keys = written.brokenKeys.map {
            $0.finding(in: database, isMarked: archive.markedKeys.contains($0.oid))
        }
        return written.findings + keys.abridged(in: database) + archive.findings(about: database) + (before ?? [])
    }

    /// What there is to say of the database when it is on the server no longer, which is why its dump failed.
    private func absence(behind error: DumpError) async throws(DumpError) -> [Finding]? {
        guard [.programFailed, .snapshotLost, .sourceUnavailable].contains(error.code) else { return nil }
        let dropped: Set<ServerFacts.Database>
        // What made the dump fail says more than why that could not be asked.
        do { dropped = try await cluster.dropped([source.open.database], control: control) } catch { return nil }
        guard !dropped.isEmpty else { return nil }
        let findings = try cluster.allowed(dropped)
        do { try FileTree(target).remove() } catch { throw DumpError(removing: target, error) }
        return findings
    }

    /// Runs pg_dump of a snapshot, under the name that `followed` has for it.
    func runProgram(_ followed: FollowedUnit, of source: FrozenDatabase) async throws(DumpError) -> [Finding] {
        let access = access.named(followed.applicationName)
        var arguments = [
            "--format=directory", client.version.major >= 16 ? "--compress=none" : "--compress=0", "--no-password",
            // Sealing flushes everything at once.
            "--no-sync", "--snapshot=\(source.snapshot)",
            "--lock-wait-timeout=\(cluster.settings.lockTimeout.wholeMilliseconds)",
            "--file=\(Program.directoryPath)",
        ]
        if client.version.dumpsStatistics { arguments.append("--statistics") }
        if jobs > 1 { arguments.append("--jobs=\(jobs)") }
        // Not what ALTER DATABASE … SET client_encoding says: not all that is stored need have a place in that.
        let encoding = source.open.database.encoding
        if !encoding.isEmpty { arguments.append("--encoding=\(encoding)") }
        arguments.append("--dbname=\(access.conninfo(database: database))")
        let remarks = ProgramRemarks()
        let program = access.program(client.path(of: .pgDump), arguments, directory: target)
        await ConnectionBudget.awaitFree(jobs > 1 ? jobs + 1 : 1, for: control)
        let outcome = try await watch.following(followed) { () throws(DumpError) in
            try await access.run(program, onErrorLine: remarks.add)
        }
        guard outcome.succeeded else { throw failure(of: .pgDump, outcome) }
        return remarks.findings(about: database)
    }

    /// What pg_restore reads from the dump: the proof that its table of contents is whole.
    private func list() async throws(DumpError) -> ArchiveListing {
        let listing = ArchiveListingReader()
        var program = access.program(
            client.path(of: .pgRestore), ["--list", Program.directoryPath.string], directory: target)
        // It does not connect.
        program.secrets = []
        let outcome = try await access.run(program, output: .lines(listing.add))
        guard outcome.succeeded else { throw failure(of: .pgRestore, outcome) }
        return listing.result
    }

    private func verified(
        _ written: WrittenDatabase, _ listing: ArchiveListing, in run: RunContext
    ) async throws(DumpError) -> VerifiedArchive {
        let archive = try await verified(
            listing, marking: written.brokenKeys.map(\.oid), leavingOut: written.facts.missingRoles, in: run)
        if let missing = written.facts.catalog.firstMissing(from: archive) {
            let part = missing.hasRows ? "rows" : "definition"
            throw .incomplete(subject, "it lacks the \(part) of table \(missing.name)", target)
        }
        return archive
    }

    private func verified(
        _ listing: ArchiveListing, marking keys: [UInt32], leavingOut roles: Set<String>, in run: RunContext
    ) async throws(DumpError) -> VerifiedArchive {
        let (tables, found) = AsyncStream.makeStream(of: [FilePath.Component].self)
        async let started: Void = startWriting(tables, in: run)
        let archive = await Result.awaiting { () async throws(DumpError) in
            try await verified(listing, marking: keys, leavingOut: roles, in: run) { found.yield($0) }
        }
        found.finish()
        await started
        return try archive.get()
    }

    /// Gives the files of tables a head start to the disk while they are read.
    private func startWriting(_ tables: AsyncStream<[FilePath.Component]>, in run: RunContext) async {
        // Where a table is in the end is not known yet.
        guard !DatabaseGrowth.isOn(cluster.settings, in: run) else { return }
        for await files in tables {
            await onOwnThread { for file in files { run.shortcuts.written(unit.path.appending(file)) } }
        }
    }

    private func verified(
        _ listing: ArchiveListing, marking keys: [UInt32], leavingOut roles: Set<String>, in run: RunContext,
        found: @escaping @Sendable ([FilePath.Component]) -> Void
    ) async throws(DumpError) -> VerifiedArchive {
        try await onOwnThreadUntilCancelled { stop throws(DumpError) in
            do {
                try GivenDirectory(target).takeBack(from: access.user) {
                    try stop.checkVerification()
                }
            } catch {
                throw DumpError(takingOver: target, error)
            }
            let contents = target.appending(ArchiveVerification.contentsFile)
            try ArchiveGrants.leaveOut(roles, of: contents)
            let marked = try ArchiveForeignKeys.mark(keys, in: contents)
            var archive = try ArchiveVerification.verify(
                target, of: subject, against: listing, stop: stop, found: found
            ) { name, digest, isOfTable in
                // Where a table is in the end is not known yet.
                if isOfTable, DatabaseGrowth.isOn(cluster.settings, in: run), DatabaseGrowth.isStored(digest) { return }
                run.shortcuts.completed(unit.path.appending(name), digest)
            }
            archive.markedKeys = marked
            return archive
        }
    }

    func followed(in run: RunContext) -> FollowedUnit {
        FollowedUnit(
            unit, of: "pg_dump of \(subject)", below: directory, databases: [database], by: access, in: run)
    }

    private func failure(of tool: Client.Tool, _ outcome: ProgramOutcome) -> DumpError {
        ProgramFailure(tool: tool, subject: subject, directory: target, expectedBytes: unit.estimatedBytes)
            .error(outcome)
    }
}

extension DumpError {
    fileprivate func ofDatabase(_ name: String) -> DumpError {
        var error = self
        error.context["database"] = name
        return error
    }
}
