import ArgumentParser
import Borg
import Catalog
import DumpCore
import Restoring

struct ListCommand: MusterCommand {
    static let manual = CommandManual(
        "list", "List the archives of a job, or what is in one of them.",
        story: """
            Muster confirms an archive right after Borg made it, by showing that it holds exactly its set. Do not trust an archive that is \
            not confirmed: its run ended before that, or is still at work. An unknown archive was made on another host, or this host \
            lost its record of it together with the staging directory.
            """,
        examples: [
            "muster list": "List the archives of the only job.",
            "muster list --job nightly -r offsite": "List the archives in one repository.",
            "muster list latest": "Show the dumps and databases in the newest confirmed archive.",
            "muster list --repository-location /mnt/backup":
                "List all archives of a repository on a host without a job file.",
        ], statuses: .of(.archiveFailed))

    @Argument(help: archiveHelp, completion: .archives) var archive: String?
    @Flag(help: "Also list archives of other jobs and hosts, and those that Muster did not make.") var all = false
    @OptionGroup var options: AnyCatalogOptions
    @OptionGroup var state: StateOption
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if archive != nil && all {
            throw ValidationError("--all does not go with an archive", hint: "Leave out one of the two.")
        }
    }

    func run() async throws {
        try await reading {
            try await options.withCatalog(log: output.logger()) { catalog in
                if let archive {
                    try await show(catalog.find(archive)[0])
                } else {
                    try await tell(catalog.listings(all: all))
                }
            }
        }
    }

    private func tell(_ listings: [RepositoryListing]) async throws {
        let failure = listings.failure
        // Without the store nothing is proven, but archives can still be listed.
        let verdicts = (try? await DrillStore(in: state.root).verdicts()) ?? [:]
        if output.json {
            Console.shared.result(try json(listings.map { ListingRecord($0, verdicts) }, as: "repositories"))
        } else {
            let lines = listings.flatMap {
                $0.lines(all: all || options.isOfLocation, verdicts, width: Console.shared.resultWidth)
            }
            if !lines.isEmpty { Console.shared.result(lines.asLines) }
        }
        if let failure { throw failure }
    }

    private func show(_ archive: CatalogedArchive) async throws {
        let manifest = try await archive.repository.manifest(of: archive.archive)
        let contents = ContentsRecord(
            repository: archive.repository.name, archive: ArchiveRecord(archive), manifest: manifest)
        Console.shared.result(output.json ? try json(contents) : archive.text(manifest))
    }
}

private struct ListingRecord: Encodable {
    struct Failure: Encodable {
        var code: String
        var message: String
    }

    var repository: String
    var archives: [ArchiveRecord]
    /// How many archives of other jobs and hosts are not among them.
    var hidden: Int?
    var error: Failure?

    init(_ listing: RepositoryListing, _ verdicts: [String: DrillVerdict]) {
        repository = listing.repository
        archives = listing.archives.map { listed in
            var record = ArchiveRecord(listed)
            record.drill = listed.verdict(verdicts).map(ArchiveRecord.LastDrill.init)
            return record
        }
        hidden = listing.hidden
        error = listing.error.map { Failure(code: $0.codeName, message: $0.message) }
    }
}

private struct ContentsRecord: Encodable {
    var repository: String
    var archive: ArchiveRecord
    var manifest: Manifest
}

extension RepositoryListing {
    /// A heading, the table, and what must not be overlooked in it.
    fileprivate func lines(all: Bool, _ verdicts: [String: DrillVerdict], width: Int?) -> [String] {
        if error != nil { return ["repository \(repository): cannot be read"] }
        let count = "\(archives.count) \(archives.count == 1 ? "archive" : "archives")"
        var lines = ["repository \(repository): \(count)\(all ? "" : " of this job")"]
        if !archives.isEmpty {
            // On most hosts no drill was ever held.
            let hasDrills = archives.contains { $0.verdict(verdicts) != nil }
            let columns = hasDrills ? Self.columns : Self.columns.dropLast()
            let rows = archives.map { Array($0.row(verdicts).prefix(columns.count)) }
            lines += Table(columns: columns, rows: rows).lines(width: width.map { $0 - 2 }).map { "  " + $0 }
        }
        return lines + notes
    }

    private var notes: [String] {
        let unconfirmed = archives.filter { $0.standing == .unconfirmed }.map { listed in
            "  NOT CONFIRMED: do not trust \(listed.archive.name). Its run was killed before it confirmed it, or is still at work. "
                + "The next run deletes it."
        }
        let areUnknown = archives.contains { $0.standing == .unknown && $0.archive.provenance != nil }
        return hiddenNote + unconfirmed
            + (areUnknown ? ["  unknown: made on another host, or this host lost its record of it."] : [])
    }

    private var hiddenNote: [String] {
        guard let hidden, hidden > 0 else { return [] }
        let are = hidden == 1 ? "archive is" : "archives are"
        return ["  \(hidden) more \(are) not of this job on this host: muster list --all"]
    }

    private static let columns = [
        Table.Column(title: "STARTED"), Table.Column(title: "ARCHIVE"), Table.Column(title: "STANDING"),
        Table.Column(title: "SIZE", rank: 1, isNumber: true), Table.Column(title: "CONSISTENCY", rank: 2),
        Table.Column(title: "DUMPS", rank: 3), Table.Column(title: "RUN", rank: 4),
        Table.Column(title: "DRILL", rank: 1),
    ]
}

extension CatalogedArchive {
    /// For the columns of a listing.
    fileprivate func row(_ verdicts: [String: DrillVerdict]) -> [String] {
        let provenance = archive.provenance
        return [
            String(archive.start.local.prefix("2026-11-23 09:01".count)), archive.name,
            standing == .unconfirmed ? "NOT CONFIRMED" : provenance == nil ? "not Muster's" : standing.text,
            provenance?.bytes.map(formatBytes) ?? "-", provenance?.consistency?.rawValue ?? "-",
            provenance?.dumps.joined(separator: ",") ?? "-", provenance?.runID.description ?? "-",
            verdict(verdicts)?.text ?? "-",
        ]
    }

    /// What drills say of the set in it.
    fileprivate func verdict(_ verdicts: [String: DrillVerdict]) -> DrillVerdict? {
        (archive.provenance?.manifestSHA256).flatMap { verdicts[$0] }
    }

    /// The dumps of the set in it and what is in them, one line each.
    fileprivate func text(_ manifest: Manifest) -> String {
        var lines = [
            "archive \(archive.name) in \(repository.name): \(standing.text)",
            "run \(manifest.runID) of job \(manifest.job) on \(manifest.host), \(manifest.startedAt.local), "
                + "\(formatBytes(manifest.archivedBytes)), consistency \(manifest.consistency?.rawValue ?? "unknown")",
        ]
        for dump in manifest.dumps {
            lines.append(
                "dump \(dump.name) (\(dump.provider)): \(formatBytes(dump.archivedBytes)) in \(dump.files) files, \(dump.moment.text)"
            )
            if !dump.omissions.isEmpty { lines.append("  \(dump.omissions.count) omissions, see --json") }
            lines += dump.databases.map { "  \($0.text), in \(dump.path)/\($0.path)" }
        }
        return lines.asLines
    }
}

extension DatabaseContents {
    fileprivate var text: String {
        "\(name): \(tables.count) tables, \(tables.reduce(0) { $0 + $1.rows }) rows"
    }
}
