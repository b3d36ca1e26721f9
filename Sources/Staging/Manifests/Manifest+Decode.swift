import Documents
import DumpCore

extension Manifest {
    /// The most bytes that a manifest may have. One of 20,000 tables has 4 MiB.
    public static let mostBytes = 64 << 20

    /// The manifest that these bytes spell: the only way in for one that is in a set, an archive, or anywhere else.
    ///
    /// The version is looked at first, so that a newer manifest is refused as such, whatever else it holds. What is returned can be
    /// relied on even if it was forged:
    /// - there is a dump, at least;
    /// - no path leads out of the set: those of dumps and lists are where sealing puts them, the others relative without `..`;
    /// - `tree.reference` is absolute, without `..`, and is in no dump's directory;
    /// - names are not empty, and each dump has one of its own;
    /// - no number is negative, sums over dumps and tables fit with room to spare, times lie between the years 1 and 9999;
    /// - digests are 64 lower-case hex digits.
    ///
    /// Whether the set is what it says is not looked at. Time and memory grow with the bytes, of which there are at most `mostBytes`.
    ///
    /// - Parameters:
    ///   - mostBytes: that are looked at any further once the version is known.
    ///   - mostValues: that are parsed.
    public static func decode(
        _ bytes: [UInt8], mostBytes: Int = mostBytes, mostValues: Int = 8_000_000
    ) throws(ManifestFault) -> Manifest {
        try decode(bytes, by: ManifestFormat.all, mostBytes: mostBytes, mostValues: mostValues)
    }

    /// - Parameter formats: that are known.
    static func decode(
        _ bytes: [UInt8], by formats: [ManifestFormat], mostBytes: Int = mostBytes, mostValues: Int = 8_000_000
    ) throws(ManifestFault) -> Manifest {
        let outline = try ManifestOutline(of: bytes)
        let format = try formats.format(of: outline.formatVersion)
        guard bytes.count <= mostBytes else { throw .tooLarge(formatBytes(Int64(bytes.count))) }
        guard outline.values <= mostValues else { throw .tooLarge("\(outline.values) values") }
        let manifest = try parsed { try format.read(bytes) }
        // A key that is there twice, in two spellings.
        guard manifest.formatVersion == outline.formatVersion else { throw .malformed("it names two format versions") }
        try manifest.requireWellFormed()
        return manifest
    }

    /// The run that made the set. Every format names it in the same place, so that the set of a newer Muster is known by it too.
    static func runID(in bytes: [UInt8]) throws(ManifestFault) -> RunID {
        _ = try ManifestOutline(of: bytes)
        return try parsed { try SnakeCaseJSON.decode(RunName.self, from: bytes) }.runID
    }

    private struct RunName: Decodable { var runID: RunID }

    private static func parsed<Value>(_ parse: () throws -> Value) throws(ManifestFault) -> Value {
        do {
            return try parse()
        } catch {
            throw .unparsed(error)
        }
    }
}
