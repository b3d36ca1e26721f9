import DumpCore

extension BorgRepository {
    /// Gives back the space of what was deleted. Returns the bytes that Borg says it freed, roughly; nil if it says nothing.
    ///
    /// Borg says nothing when there was nothing to free. It also says nothing where a repository only grows (`append_only`, or a server
    /// with `borg serve --append-only`). There nothing is freed until the repository's owner compacts it.
    public func compact() async throws(BorgError) -> Int64? {
        let outcome = try await run(["compact", "--progress", "--info"])
        try requireSuccess(outcome, "compact")
        return outcome.messages.freedBytes
    }
}

extension BorgLogLine.Message {
    /// The number in `compaction freed about 30.00 MB repository space.`, the only line in which Borg reports it.
    var freedBytes: Int64? {
        guard logger == "borg.repository",
            let found = text.firstMatch(of: /freed about ([0-9]+(?:\.[0-9]+)?) (B|kB|[KMGTPE]i?B)\b/),
            let number = Double(found.output.1), let unit = Self.units[found.output.2]
        else { return nil }
        return Int64(nearest: number * unit)
    }

    private static let units: [Substring: Double] = [
        "B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12, "PB": 1e15, "EB": 1e18,
        "KiB": 0x1p10, "MiB": 0x1p20, "GiB": 0x1p30, "TiB": 0x1p40, "PiB": 0x1p50, "EiB": 0x1p60,
    ]
}
