import DumpCore
import SystemPackage

/// Where an archive's set comes from and what it is, as the archive's comment tells. The comment is one line, wrapped here:
///
///     muster host=web1 job=nightly run=20261123T080102Z-5f3a manifest=<64 hex digits> id=<32 hex digits>
///     consistency=exact bytes=1234 dumps=app,files
///
/// The comment goes with the archive: any host can read it, without reading the archive itself. Words that this Muster does not know are
/// passed over.
public struct Provenance: Sendable, Hashable {
    public var series: ArchiveSeries
    public var runID: RunID
    /// SHA-256 of the bytes of `manifest.json`.
    public var manifestSHA256: String
    /// The job's; nil if the comment does not say, as those of Muster 0.1.0.
    public var jobID: JobID?
    /// The least sure moment of all dumps; nil if the comment does not say.
    public var consistency: Moment.Kind?
    /// The size of all dumps, before deduplication and compression; nil if the comment does not say.
    public var bytes: Int64?
    /// Their names, in the order of the manifest.
    public var dumps: [String] = []

    public init(series: ArchiveSeries, runID: RunID, manifestSHA256: String) {
        self.series = series
        self.runID = runID
        self.manifestSHA256 = manifestSHA256
    }

    /// The provenance of a set with this manifest.
    public init(of manifest: Manifest, sha256: String, by job: JobID? = nil) {
        self.init(series: ArchiveSeries(of: manifest), runID: manifest.runID, manifestSHA256: sha256)
        jobID = job
        consistency = manifest.consistency
        bytes = manifest.archivedBytes
        dumps = manifest.dumps.map(\.name)
    }

    /// The provenance that a comment tells, or nil if Muster did not write the comment.
    public init?(comment: String) {
        let words = comment.split(atASCII: " ", omittingEmptySubsequences: false)
        let pairs = words.dropFirst().map { $0.split(atASCII: "=", maxSplits: 1, omittingEmptySubsequences: false) }
        guard words.first == "muster", pairs.allSatisfy({ $0.count == 2 }) else { return nil }
        let values = Dictionary(pairs.map { ($0[0], $0[1]) }) { first, _ in first }
        guard let host = values["host"].flatMap(Self.name), let job = values["job"].flatMap(Self.name),
            let runID = values["run"].flatMap({ RunID(String($0)) }), let digest = values["manifest"], !digest.isEmpty
        else { return nil }
        self.init(series: ArchiveSeries(host: host, job: job), runID: runID, manifestSHA256: String(digest))
        jobID = values["id"].flatMap { JobID(String($0)) }
        consistency = values["consistency"].flatMap { Moment.Kind(rawValue: String($0)) }
        bytes = values["bytes"].flatMap { Int64($0) }.flatMap { Manifest.possibleBytes.contains($0) ? $0 : nil }
        dumps = values["dumps"]?.split(atASCII: ",").compactMap(Self.name) ?? []
    }

    /// Holds no character that Borg reads as a placeholder.
    public var comment: String {
        var words = [
            "muster", "host=\(escapedPathComponent(series.host))", "job=\(escapedPathComponent(series.job))",
            "run=\(runID)", "manifest=\(manifestSHA256)",
        ]
        if let jobID { words.append("id=\(jobID)") }
        if let consistency { words.append("consistency=\(consistency.rawValue)") }
        if let bytes { words.append("bytes=\(bytes)") }
        if !dumps.isEmpty {
            words.append("dumps=" + dumps.map { "\(escapedPathComponent($0))" }.joined(separator: ","))
        }
        return words.joined(separator: " ")
    }

    private static func name(_ escaped: Substring) -> String? {
        FilePath.Component(String(escaped)).flatMap { unescapedName($0) }
    }
}
