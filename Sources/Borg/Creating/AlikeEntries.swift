import SystemPackage
import Trees

/// What an archive is to hold under one path as Borg lists it: one entry, unless names that are not UTF-8 look alike.
struct AlikeEntries {
    let path: [UInt8]
    private let isEmpty: Bool
    /// Those that were not found in the archive so far.
    private(set) var missing: [SealedEntry]
    /// What all of them are, found or not.
    let facts: Set<[UInt8]>

    init(path: [UInt8], _ entries: [SealedEntry] = []) {
        self.path = path
        isEmpty = entries.isEmpty
        missing = entries
        facts = Set(entries.map(\.facts))
    }

    /// Nil at the end.
    init?(next sealed: inout PathSpoolReader) throws(Errno) {
        guard let first = try sealed.nextBytes() else { return nil }
        var entries = [SealedEntry(encoded: first.value)]
        while try sealed.peekBytes() == first.path, let next = try sealed.nextBytes() {
            entries.append(SealedEntry(encoded: next.value))
        }
        self.init(path: first.path, entries)
    }

    /// Nil if one of those that are missing is as `listed` says. That one is found.
    mutating func difference(from listed: ListedEntry) -> String? {
        guard !isEmpty else { return "\(text(path)) is not in the set" }
        guard !missing.isEmpty else { return "\(text(path)) is there twice" }
        // Names that look alike come in any order.
        if let fitting = missing.firstIndex(where: { $0.difference(from: listed) == nil }) {
            missing.remove(at: fitting)
            return nil
        }
        return missing.removeFirst().difference(from: listed)
    }
}
