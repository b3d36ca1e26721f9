import Borg
import DumpCore
import Logging

/// What `latest` means where no job says whose archives count.
extension ArchiveCatalog {
    /// The newest archive, by when it was begun, if one job alone has archived here. This host vouches for none of them.
    func newestOfOnlySeries() async throws -> [CatalogedArchive] {
        let listings = await ask { try await $0.archives() }
        if let failure = listings.failure { throw failure }
        let archives = listings.flatMap(\.archives)
        let series = Dictionary(grouping: archives) { $0.archive.series }
        let known = series.compactMap { series, archives in series.map { ($0, archives) } }
        guard let (only, itsArchives) = known.first else { throw noArchive(besides: archives.count) }
        guard known.count == 1 else { throw severalSeries(known) }
        guard let newest = itsArchives.max(by: { $0.archive.isOlder(than: $1.archive) }) else { return [] }
        log.notice(
            "this host has not confirmed any archive here: latest is the newest one",
            metadata: ["archive": "\(newest.archive.name)", "host": "\(only.host)", "job": "\(only.job)"])
        return [newest]
    }

    private var place: String { repositories.map(\.name).joined(separator: ", ") }

    private func noArchive(besides others: Int) -> ArchiveError {
        ArchiveError(
            .missing, "repository '\(place)' holds no archive that Muster made",
            hint: others == 0
                ? "It is empty. Check the location."
                : "It holds \(others) others: read those with Borg itself, borg list and borg extract.")
    }

    private func severalSeries(_ series: [(ArchiveSeries, [CatalogedArchive])]) -> ArchiveError {
        let lines = series.map { series, archives in
            let newest = archives.map(\.archive).max { $0.isOlder(than: $1) }
            return "job \(series.job) on \(series.host): \(archives.count), the newest \(newest?.name ?? "")"
        }
        return ArchiveError(
            .ambiguous, "repository '\(place)' holds archives of \(series.count) jobs: latest could be of any of them",
            hint: "Name an archive in place of latest.", context: ["jobs": lines.sorted().joined(separator: "\n")])
    }
}

extension Archive {
    /// Nil for one that Muster did not make, or that was renamed since.
    fileprivate var series: ArchiveSeries? { provenance.flatMap { $0.series.covers(name) ? $0.series : nil } }
}
