import DumpCore

/// The archives of one job on one host: `<host>-<job>-<UTC time>`, such as `web1-nightly-2026-11-23T08:01:02Z`.
///
/// Only a full time may stand where the time stands, so that `web1-nightly` claims neither `web1-nightly2-…` nor `web1-nightly-old-…`. Host
/// `a` with job `b-c` and host `a-b` with job `c` may still have archives of the same name. The archive's comment tells them apart, because
/// it holds both words: see `ArchiveOwner`.
public struct ArchiveSeries: Sendable, Hashable {
    public var host: String
    public var job: String

    public init(host: String, job: String) {
        self.host = host
        self.job = job
    }

    /// The one that a set belongs to.
    public init(of manifest: Manifest) { self.init(host: manifest.host, job: manifest.job) }

    /// The name of an archive begun at `time`. Holds no character that Borg reads as a placeholder or a wildcard.
    public func name(at time: Timestamp) -> String { prefix + time.iso8601(withMilliseconds: false) }

    /// What `borg --glob-archives` takes for the names of this series.
    public var glob: String {
        let digit = "[0-9]"
        let time = "0000-00-00T00:00:00Z".map { $0 == "0" ? digit : String($0) }
        return prefix + time.joined()
    }

    /// Whether `name` is one of this series.
    public func covers(_ name: String) -> Bool {
        guard name.hasPrefix(prefix), let time = Timestamp(String(name.dropFirst(prefix.count))) else { return false }
        return self.name(at: time) == name
    }

    private var prefix: String { "\(escapedPathComponent(host))-\(escapedPathComponent(job))-" }
}
