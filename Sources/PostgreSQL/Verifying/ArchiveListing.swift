import DumpCore
import Synchronization

/// What `pg_restore --list` says of an archive, as far as it is compared with what we read in `toc.dat` ourselves.
struct ArchiveListing: Sendable, Equatable {
    /// The number of entries of all kinds, from the heading.
    var entries: Int?
    /// The dump ids of the entries that carry the rows of a table.
    var tableData: Set<Int> = []
}

/// Reads the listing line by line.
final class ArchiveListingReader: Sendable {
    private let listing = Mutex(ArchiveListing())

    var result: ArchiveListing { listing.withLock { $0 } }

    /// Either `;     TOC Entries: 35` or `3391; 0 16396 TABLE DATA public orders owner`. The 0 tells that entry from a table in a schema
    /// called `DATA`. That number is the catalog that the entry is an object of, which for a table is `pg_class`.
    func add(_ line: String) {
        let words = line.split(atASCII: " ", maxSplits: 5)
        if words.starts(with: [";", "TOC", "Entries:"]), words.count == 4 {
            listing.withLock { $0.entries = Int(words[3]) }
        } else if words.count == 6, words[1] == "0", words[3] == "TABLE", words[4] == "DATA", words[0].hasSuffix(";"),
            let id = Int(words[0].dropLast())
        {
            listing.withLock { _ = $0.tableData.insert(id) }
        }
    }
}
