import DumpCore
import SystemPackage

/// An archive as a repository lists it.
public struct Archive: Sendable, Hashable {
    public var name: String
    /// Borg's, 64 hex digits.
    public var id: String
    /// When its creation began.
    public var start: Timestamp
    /// What its comment says of the set in it; nil for an archive that Muster did not make.
    public var provenance: Provenance?

    public init(name: String, id: String, start: Timestamp, provenance: Provenance?) {
        self.name = name
        self.id = id
        self.start = start
        self.provenance = provenance
    }

    /// Whether Muster made it for this job on this host.
    public func belongs(to series: ArchiveSeries) -> Bool { series.covers(name) && provenance?.series == series }
}

/// Where an archive's set comes from, as its comment tells:
/// `muster host=web1 job=nightly run=20261123T080102Z-5f3a manifest=<64 hex digits>`.
public struct Provenance: Sendable, Hashable {
    public var series: ArchiveSeries
    public var runID: RunID
    /// Of the bytes of `manifest.json`.
    public var manifestSHA256: String

    public init(series: ArchiveSeries, runID: RunID, manifestSHA256: String) {
        self.series = series
        self.runID = runID
        self.manifestSHA256 = manifestSHA256
    }

    /// The provenance that a comment tells, or nil if Muster did not write the comment.
    public init?(comment: String) {
        let words = comment.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 5, words[0] == "muster", let host = Self.value(of: "host", in: words[1]),
            let job = Self.value(of: "job", in: words[2]),
            let runID = Self.value(of: "run", in: words[3]).flatMap({ RunID($0) }),
            let digest = Self.value(of: "manifest", in: words[4])
        else { return nil }
        self.init(series: ArchiveSeries(host: host, job: job), runID: runID, manifestSHA256: digest)
    }

    /// Holds no character that Borg reads as a placeholder.
    public var comment: String {
        "muster host=\(escapedPathComponent(series.host)) job=\(escapedPathComponent(series.job)) run=\(runID) "
            + "manifest=\(manifestSHA256)"
    }

    private static func value(of name: String, in word: Substring) -> String? {
        guard word.hasPrefix(name + "="), let component = FilePath.Component(String(word.dropFirst(name.count + 1)))
        else { return nil }
        return unescapedName(component)
    }
}
