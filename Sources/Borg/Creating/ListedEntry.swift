import Trees

/// An entry of an archive as Borg lists it, see `BorgVersion.listingFormat`. No field holds NUL.
struct ListedEntry {
    /// What the mode of a second name of a file begins with.
    static let furtherName = UInt8(ascii: "h")

    var path: [UInt8]
    var mode: [UInt8]
    var size: [UInt8]
    /// The name that came before, if this is a second name of the same file.
    var original: [UInt8]
    /// What the set has under that name, see `SealedEntry.facts`.
    var originals: [[UInt8]] = []

    var isFurtherName: Bool { mode.first == Self.furtherName }
}

extension ListedEntry {
    /// For a list by paths.
    var encoded: [UInt8] { Array(([mode, size, original] + originals).joined(separator: [0])) }

    init(_ record: PathSpoolReader.Record) {
        let fields = record.value.split(separator: 0, omittingEmptySubsequences: false).map(Array.init)
        self.init(
            path: record.path, mode: fields[0], size: fields[1], original: fields[2], originals: Array(fields[3...]))
    }

    /// For a list by the names that came before.
    var encodedByOriginal: [UInt8] { Array([mode, size, path].joined(separator: [0])) }

    init(byOriginal record: PathSpoolReader.Record) {
        self.init(record)
        (path, original) = (original, path)
    }
}

/// For people.
func text(_ bytes: some Collection<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }
