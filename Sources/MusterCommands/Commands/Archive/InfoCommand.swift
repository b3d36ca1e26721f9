import ArgumentParser
import Borg
import Catalog
import DumpCore

struct InfoCommand: MusterCommand {
    static let manual = CommandManual(
        "info", "Show an archive's sizes, in each repository that has it.",
        examples: [
            "muster info latest": "Show the newest confirmed archive.",
            "muster info web1-nightly-2026-11-23 --json": "Show the archive whose name begins like this, for a script.",
        ], statuses: .of(.archiveFailed))

    @Argument(help: archiveHelp, completion: .archives) var archive: String
    @OptionGroup var options: AnyCatalogOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let records = try await reading {
            try await options.withCatalog(log: output.logger()) { catalog in
                var records: [InfoRecord] = []
                for found in try await catalog.find(archive) {
                    records.append(InfoRecord(found, try await found.repository.info(of: found.archive)))
                }
                return records
            }
        }
        Console.shared.result(
            output.json ? try json(records, as: "repositories") : records.map(\.text).joined(separator: "\n\n"))
    }
}

/// What `info` says of an archive in one repository.
private struct InfoRecord: Encodable {
    var repository: String
    var archive: ArchiveRecord
    var end: Timestamp
    var durationSeconds: Double
    var files: Int
    var originalBytes: Int64
    var compressedBytes: Int64?
    var deduplicatedBytes: Int64?
    var chunkerParams: String
    var comment: String
    var user: String
    var host: String

    init(_ found: CatalogedArchive, _ info: ArchiveInfo) {
        repository = found.repository.name
        archive = ArchiveRecord(found)
        (end, durationSeconds, files) = (info.end, info.durationSeconds, info.files)
        (originalBytes, compressedBytes) = (info.originalBytes, info.compressedBytes)
        (deduplicatedBytes, chunkerParams) = (info.deduplicatedBytes, info.chunkerParams)
        (comment, user, host) = (info.comment, info.user, info.host)
    }

    var text: String {
        let tenths = max(0, Int64(nearest: durationSeconds * 10))
        let facts: [(String, String?)] = [
            ("standing", archive.standing.text), ("run", archive.runID?.description),
            ("started", archive.start.local),
            ("took", "\(tenths / 10).\(tenths % 10) s"),
            ("files", "\(files)"), ("original", formatBytes(originalBytes)),
            ("compressed", compressedBytes.map(formatBytes)),
            ("only here", deduplicatedBytes.map { "\(formatBytes($0)), which deleting it would free" }),
            ("chunker", chunkerParams), ("made by", "\(user) on \(host)"), ("id", archive.id), ("comment", comment),
        ]
        let lines = facts.compactMap { name, value in
            value.map { "  \(name)\(String(repeating: " ", count: 12 - name.count))\($0)" }
        }
        return (["archive \(archive.name) in \(repository)"] + lines).asLines
    }
}
