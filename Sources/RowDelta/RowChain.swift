import DumpCore
import Linux
import SystemPackage

/// The files that a table is stored in: a base, and two kinds of files for each change since then. One holds the rows that came, the other
/// says what became of earlier lines.
///
///     20261130T001007Z.rows  20261201T001009Z.lines  20261201T001009Z.rows …
///
/// The lines of all `.rows` files, one file after the other in the order of their names, are numbered from 1. A `.lines` file says which of them
/// are gone, and which have another text (`LineList`). The other lines, and those with their new texts, are the table.
public struct RowChain: Sendable, Equatable {
    public let directory: FilePath
    /// The base's first, then those of the changes.
    public private(set) var names: [String]

    /// More than any policy lets there be.
    private static let mostNames = 4096

    /// Reads which files there are. Throws for anything that is not of a chain.
    public init(in directory: FilePath) throws(RowDeltaError) {
        self.directory = directory
        let found = try attempting(.cannotRead, to: "list", directory) { try FileSystem.names(in: directory) }
        guard found.count <= 2 * Self.mostNames else { throw .malformed(directory, "has too many files") }
        let files = Set(found.map(\.string))
        names = found.map(\.string).filter { $0.hasSuffix(Self.rows) }
            .map { String($0.dropLast(Self.rows.count)) }
        guard !names.isEmpty else { throw .malformed(directory, "has no rows") }
        let wanted = names.map { $0 + Self.rows } + names.dropFirst().map { $0 + Self.lines }
        guard files == Set(wanted) else { throw .malformed(directory, "lacks a file of its rows, or has one more") }
    }

    /// A base alone.
    init(in directory: FilePath, base: String) { (self.directory, names) = (directory, [base]) }

    static let rows = ".rows"
    static let lines = ".lines"

    func rows(of name: String) -> FilePath { directory.appending(name + Self.rows) }
    func lines(of name: String) -> FilePath { directory.appending(name + Self.lines) }

    /// In the order in which they are read.
    var rowFiles: [FilePath] { names.map { rows(of: $0) } }
    var lineFiles: [FilePath] { names.dropFirst().map { lines(of: $0) } }
    public var files: [FilePath] { rowFiles + lineFiles }

    mutating func append(_ name: String) { names.append(name) }

    /// As it was before the last changes.
    func dropping(_ count: Int) -> RowChain {
        var chain = self
        chain.names.removeLast(count)
        return chain
    }

    /// Puts one change in the place of the last ones.
    mutating func replaceLast(_ count: Int, by name: String) {
        names.removeLast(count)
        names.append(name)
    }

    /// The table as it is now, row by row.
    func stream(
        hashing hashes: Bool = false, within memory: RowMemory = RowMemory(), until stop: StopSign
    ) throws(RowDeltaError) -> RowStream {
        try RowStream(rowFiles, changedBy: lineFiles, hashing: hashes, within: memory, until: stop)
    }
}
