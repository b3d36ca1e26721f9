import SystemPackage

/// Files of the last set that are not what was sealed. A run finds them where it would use them again, and stores new ones instead.
///
/// No process changes a published set, so the disk may be failing.
public struct DamagedFiles: Sendable, Hashable {
    /// Relative to the set: its directory gets another name once the new set is published.
    private var paths: Set<FilePath> = []
    /// Those beyond what is kept of their names.
    private var more = 0

    private static let mostKept = 1000

    public init() {}

    /// - Parameter path: relative to the set. It may be added again.
    public mutating func add(_ path: FilePath) {
        guard !paths.contains(path) else { return }
        if paths.count < Self.mostKept { paths.insert(path) } else { more += 1 }
    }

    public mutating func add(_ others: DamagedFiles) {
        for path in others.paths { add(path) }
        more += others.more
    }

    /// One for all of them, or none.
    public var findings: [Finding] {
        guard let first = paths.map(\.string).min(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) else { return [] }
        let others = paths.count + more - 1
        let what = others > 0 ? "and \(others) more files in the last set are" : "in the last set is"
        return [
            Finding(
                .warning, "previous_set_damaged", object: first,
                "\(first) \(what) damaged or missing; the new set does not use \(others > 0 ? "them" : "it")",
                hint:
                    "The new set is whole. Check the disk of the staging directory: dmesg, smartctl -a. The last set is in previous/ now."
            )
        ]
    }
}
