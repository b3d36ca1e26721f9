import ArgumentParser
import Catalog
import DumpCore
import Glibc
import Linux
import SystemPackage

struct ExtractCommand: MusterCommand {
    static let manual = CommandManual(
        "extract", "Take a set, a dump, or a part of one out of an archive, and verify it.",
        story: """
            The directory appears once Muster has compared every file in it with the checksums that the archive's manifest vouches for. \
            Owners, permissions and times are as they were archived. Nothing outside the directory is touched, whatever the archive \
            holds. If a file is not what was sealed, Muster keeps what it extracted as DIR.unverified.

            It needs the job file and the repository, and nothing that this host remembers of earlier runs. On a new host the repository \
            alone will do: name it with --repository-location.
            """,
        examples: [
            "muster extract latest --into /srv/restored": "Take out the whole set.",
            "muster extract latest app --into /srv/restored": "Take out one dump.",
            "muster extract web1-nightly-2026-11-23 app/databases/shop --into /srv/restored":
                "Take out one database of an older archive.",
            "muster extract latest --repository-location backup@nas:web1 --into /srv/restored":
                "Take out the newest set on a host without a job file.",
        ], statuses: .of(.archiveFailed, .verificationFailed))

    @Argument(help: archiveHelp, completion: .archives) var archive: String
    @Argument(
        help: ArgumentHelp(
            "Only this dump, or this file or directory of it, as muster list ARCHIVE shows it.",
            valueName: "dump[/path]"))
    var part: String?
    @Option(help: ArgumentHelp("A directory that does not exist yet, or is empty.", valueName: "dir")) var into: String
    @OptionGroup var options: AnyCatalogOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var progress: ProgressOptions

    func run() async throws {
        let log = output.logger()
        progress.begin(output, log: log)
        let target = JobOptions.absolute(into)
        try requireElsewhere(target)
        let report = try await reading {
            try await options.withCatalog(log: log) { catalog in
                try await Extraction(
                    of: part, from: catalog.find(archive)[0], in: catalog, into: target, display: ProgressFeed.shared,
                    log: log
                ).perform()
            }
        }
        if output.json { return Console.shared.result(try json(report)) }
        if !output.quiet { Console.shared.result(report.text.onOneLine) }
    }

    /// If the result took the place of the current directory, the shell in it would be left nowhere.
    private func requireElsewhere(_ target: FilePath) throws {
        guard let here = try? FileSystem.status(of: "."), let there = try? FileSystem.status(of: target) else { return }
        guard (here.device, here.inode) == (there.device, there.inode) else { return }
        throw ValidationError(
            "extract does not work in the current directory", hint: "Name another directory: --into DIR.")
    }
}

extension Extraction.Report {
    fileprivate var text: String {
        "\(part ?? "set \(runID)") from archive \(archive) in \(repository): \(files) files, \(formatBytes(bytes)), "
            + "all as sealed, in \(path)"
    }
}
