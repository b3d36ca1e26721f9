import Linux
import Staging
import Synchronization
import SystemPackage

/// Compares Borg's listing of an archive with a set, while it is read, piece by piece.
///
/// Fields end with NUL: names may hold anything else, and reading them costs half the time that JSON takes (10,000 files:
/// 0.5 s against 0.9 s, most of it in Borg).
final class SetComparison: Sendable {
    /// See `BorgVersion.listingFormat`.
    private static let fieldsPerEntry = 5

    struct Result: Sendable {
        /// Nil if nothing was listed.
        var archiveID: String?
        var differences: Excerpt
    }

    private struct State {
        var field: [UInt8] = []
        var fields: [[UInt8]] = []
        var archiveID: String?
        /// Whether each of the set's entries, in their order, is still to come.
        var isMissing: [Bool]
        var differences = Excerpt()
    }

    private let entries: [SealedSet.Entry]
    /// Where the paths that Borg shows so stand among the entries: one place, unless names that are not UTF-8 look alike.
    private let places: [[UInt8]: [Int]]
    private let state: Mutex<State>

    /// - Parameter entries: all that the archive is to hold, by their paths in it.
    init(_ entries: [SealedSet.Entry]) {
        self.entries = entries
        places = Dictionary(grouping: entries.indices) { entries[$0].path.bytes.asListed }
        state = Mutex(State(isMissing: Array(repeating: true, count: entries.count)))
    }

    func take(_ piece: UnsafeRawBufferPointer) {
        state.withLock { state in
            for part in piece.split(separator: 0, omittingEmptySubsequences: false).dropLast() {
                state.field += part
                endField(&state)
            }
            state.field += piece[(piece.lastIndex(of: 0).map { $0 + 1 } ?? piece.startIndex)...]
        }
    }

    /// To be called once, after the last piece.
    func finish() -> Result {
        state.withLock { state in
            if !state.field.isEmpty || !state.fields.isEmpty { state.differences.add("the listing breaks off") }
            for (entry, isMissing) in zip(entries, state.isMissing) where isMissing {
                state.differences.add("\(entry.path) is missing")
            }
            return Result(archiveID: state.archiveID, differences: state.differences)
        }
    }

    private func endField(_ state: inout State) {
        state.fields.append(state.field)
        state.field.removeAll(keepingCapacity: true)
        guard state.fields.count == Self.fieldsPerEntry else { return }
        state.archiveID = text(state.fields[0])
        if let difference = difference(of: state.fields, &state.isMissing) { state.differences.add(difference) }
        state.fields.removeAll(keepingCapacity: true)
    }

    private func difference(of fields: [[UInt8]], _ isMissing: inout [Bool]) -> String? {
        let path = text(fields[3])
        guard let alike = places[fields[3]] else { return "\(path) is not in the set" }
        guard let first = alike.first(where: { isMissing[$0] }) else { return "\(path) is there twice" }
        // Names that look alike come in any order.
        let fitting =
            alike.count == 1 ? nil : alike.first { isMissing[$0] && difference(of: fields, entries[$0]) == nil }
        isMissing[fitting ?? first] = false
        return difference(of: fields, entries[fitting ?? first])
    }

    private func difference(of fields: [[UInt8]], _ entry: SealedSet.Entry) -> String? {
        let (mode, size, path) = (text(fields[1]), text(fields[2]), text(fields[3]))
        switch mode.first {
        case "-" where entry.isFile:
            return size == String(entry.bytes) ? nil : "\(path) has \(size) bytes instead of \(entry.bytes)"
        // A second name of something that is in the archive already, which Borg lists without a size of its own.
        case "h":
            let isFirst = { (place: Int) in
                self.entries[place].bytes == entry.bytes && self.entries[place].kind == entry.kind
            }
            return places[fields[4]]?.contains(where: isFirst) == true
                ? nil : "\(path) is another name of \(text(fields[4]))"
        case entry.kind.listedLetter: return nil
        default: return "\(path) is of another kind (\(mode))"
        }
    }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}

extension [UInt8] {
    /// A path as Borg lists it: with `?` for each byte that is not of UTF-8. That such a name is right to the byte shows when it is extracted.
    fileprivate var asListed: [UInt8] {
        guard String(validating: self, as: UTF8.self) == nil else { return self }
        var listed: [UInt8] = []
        var bytes = makeIterator()
        var parser = Unicode.UTF8.ForwardParser()
        while true {
            switch parser.parseScalar(from: &bytes) {
            case .valid(let scalar): listed += Array(scalar)
            case .error(let length): listed += repeatElement(UInt8(ascii: "?"), count: length)
            case .emptyInput: return listed
            }
        }
    }
}

extension FileStatus.Kind {
    /// The first letter of a mode as `ls -l` shows it.
    fileprivate var listedLetter: Character {
        switch self {
        case .file: "-"
        case .directory: "d"
        case .symbolicLink: "l"
        case .fifo: "p"
        case .socket: "s"
        case .characterDevice: "c"
        case .blockDevice: "b"
        }
    }
}
