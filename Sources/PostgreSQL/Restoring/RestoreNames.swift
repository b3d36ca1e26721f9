import DumpCore

/// What a restore calls the databases that it makes. All of one restore bear its time.
struct RestoreNames: Sendable {
    let run: RunID

    /// What PostgreSQL keeps of a name, in bytes (`NAMEDATALEN` without its end).
    static let longest = 63

    /// Such as `20261129T174500Z`.
    private var time: String { String(run.description.prefix { $0 != "-" }) }

    /// The name while it is filled, which marks it as unfinished.
    func unfinished(_ name: String, besides taken: Set<[UInt8]> = []) -> String {
        suffixed(name, "_restoring_\(run)", besides: taken)
    }

    func beside(_ name: String, besides taken: Set<[UInt8]> = []) -> String {
        suffixed(name, "_restored_\(time)", besides: taken)
    }

    /// For what had the name before.
    func kept(_ name: String, besides taken: Set<[UInt8]> = []) -> String {
        suffixed(name, "_before_\(time)", besides: taken)
    }

    /// Whether this restore would have kept a database `original` under that name.
    func isKept(_ name: String, from original: String) -> Bool {
        let numbered = name.utf8.reversed().drop { (0x30...0x39).contains($0) }.reversed()
        return name.nameBytes == kept(original).nameBytes
            || String(decoding: Array(numbered), as: UTF8.self).hasSuffix("_before_\(time)_")
    }

    /// Cut where a character ends. A number tells apart two long names that become one.
    private func suffixed(_ name: String, _ suffix: String, besides taken: Set<[UInt8]>) -> String {
        for number in 1... {
            let end = number == 1 ? suffix : "\(suffix)_\(number)"
            let candidate = name.cut(toBytes: Self.longest - end.utf8.count) + end
            if !taken.contains(candidate.nameBytes) { return candidate }
        }
        return name
    }
}

extension String {
    /// As much of the start as fits, in whole characters of Unicode.
    fileprivate func cut(toBytes limit: Int) -> String {
        var cut = String.UnicodeScalarView()
        var count = 0
        for scalar in unicodeScalars {
            count += UTF8.width(scalar)
            guard count <= limit else { break }
            cut.append(scalar)
        }
        return String(cut)
    }
}
