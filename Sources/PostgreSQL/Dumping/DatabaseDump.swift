import DumpCore
import Linux
import Processes
import SystemPackage

/// One database, dumped by pg_dump in directory format and verified.
struct DatabaseDump: Sendable {
    var source: FrozenDatabase
    var unit: WorkUnit
    /// Of the whole dump. `databases` is there.
    var directory: FilePath
    var client: Client
    var access: ClusterAccess
    var survey: OmissionSurvey
    var watch: ServerWatch
    var lockTimeout: Duration
    var jobs: Int

    /// This database's part of the directory.
    private var target: FilePath { directory.pushing(unit.path) }
    private var database: String { source.open.database.name }
    private var subject: String { "database '\(database)'" }

    /// Dumps within a slot of the run, and verifies outside of it: meanwhile the slot keeps the server busy with the next one.
    func take(in run: RunContext) async throws(DumpError) -> DumpedPart {
        do {
            let written = try await run.perform(unit) { () throws(DumpError) in try await write(in: run) }
            let archive = try await verified(try await list(), against: written.facts.catalog)
            let digests = archive.digests(below: unit.path)
            for (path, digest) in digests { run.completed(path, digest) }
            return DumpedPart(
                from: written.start, to: .now, findings: written.findings + findings(about: archive),
                omissions: written.facts.omissions,
                databases: [
                    DatabaseContents(
                        name: database, path: unit.path.string,
                        tables: written.facts.recorded.columns.added(to: archive.tables),
                        record: written.facts.recorded.record)
                ], digests: digests)
        } catch {
            throw error.ofDatabase(database)
        }
    }

    private func findings(about archive: VerifiedArchive) -> [Finding] {
        let before = survey.prepared[database]?.sequences.findings(against: archive.sequences, in: database)
        return archive.findings(about: database) + (before ?? [])
    }

    /// What pg_dump wrote, and what its snapshot says that it should have.
    private struct Written {
        var start: Timestamp
        var findings: [Finding]
        var facts: SnapshotFacts
    }

    /// The snapshot is held until pg_dump has ended, and no longer: it keeps the server from cleaning up.
    private func write(in run: RunContext) async throws(DumpError) -> Written {
        try handOver()
        let start = Timestamp.now
        let facts = try await SnapshotFacts.ask(source, survey)
        do {
            let findings = try await dump(in: run) + ForeignKeys.findings(in: source.open.session)
            await source.open.session.close()
            return Written(
                start: start, findings: findings + facts.recorded.findings(about: database), facts: facts)
        } catch {
            throw await recognized(error)
        }
    }

    /// When nobody understands what a program said, in whatever language: what ended it may have ended our own session too, and
    /// that one knows an SQLSTATE.
    private func recognized(_ error: DumpError) async -> DumpError {
        guard error.code == .programFailed, error.hint == nil else { return error }
        do {
            _ = try await source.open.session.query("select 1", limit: .seconds(5))
            return error
        } catch let lost {
            var error = error
            error.isTransient = lost.isTransient
            return error
        }
    }

    /// Creates the directory that the programs write to and, if they run as another user, gives it to that user.
    private func handOver() throws(DumpError) {
        do {
            try FileSystem.createDirectory(target)
            if let user = access.user { try GivenDirectory(target).give(to: user) }
        } catch {
            throw DumpError(creating: target, error)
        }
    }

    private func dump(in run: RunContext) async throws(DumpError) -> [Finding] {
        let followed = FollowedUnit(
            unit, of: "pg_dump of \(subject)", below: directory, databases: [database], by: access, in: run)
        let access = access.named(followed.applicationName)
        var arguments = [
            "--format=directory", client.version.major >= 16 ? "--compress=none" : "--compress=0", "--no-password",
            // Sealing flushes everything at once.
            "--no-sync", "--snapshot=\(source.snapshot)", "--lock-wait-timeout=\(lockTimeout.wholeMilliseconds)",
            "--file=\(Program.directoryPath)",
        ]
        if client.version.dumpsStatistics { arguments.append("--statistics") }
        if jobs > 1 { arguments.append("--jobs=\(jobs)") }
        arguments.append("--dbname=\(access.conninfo(database: database))")
        let remarks = ProgramRemarks()
        let program = access.program(client.path(of: .pgDump), arguments, directory: target)
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
        program.secret = nil
        let outcome = try await access.run(program, output: .lines(listing.add))
        guard outcome.succeeded else { throw failure(of: .pgRestore, outcome) }
        return listing.result
    }

    private func verified(
        _ listing: ArchiveListing, against catalog: CatalogComparison
    ) async throws(DumpError) -> VerifiedArchive {
        let archive = try await verified(listing)
        if let missing = catalog.firstMissing(from: archive) {
            let part = missing.hasRows ? "rows" : "definition"
            throw .incomplete(subject, "it lacks the \(part) of table \(missing.name)", target)
        }
        return archive
    }

    private func verified(_ listing: ArchiveListing) async throws(DumpError) -> VerifiedArchive {
        try await onOwnThreadUntilCancelled { stop throws(DumpError) in
            do {
                try GivenDirectory(target).takeBack(from: access.user) {
                    guard !stop.isRaised else { throw DumpError(.cancelled, "the verification was cancelled") }
                }
            } catch {
                throw DumpError(takingOver: target, error)
            }
            try ArchiveGrants.leaveOut(
                survey.prepared[database]?.missingRoles ?? [], of: target.appending(ArchiveVerification.contentsFile))
            return try ArchiveVerification.verify(target, of: subject, against: listing, stop: stop)
        }
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
