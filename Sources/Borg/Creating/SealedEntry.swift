import Linux
import Staging
import SystemPackage

/// What an archive is to hold under one path.
struct SealedEntry {
    let path: [UInt8]
    /// The first letter of the mode that Borg lists, then the bytes of a file.
    let facts: [UInt8]

    init(_ entry: SealedSet.Entry) {
        path = entry.path.bytes
        facts = [entry.kind.listedLetter] + String(entry.bytes).utf8
    }

    /// Nil if it is as `listed` says, else how it differs.
    func difference(from listed: ListedEntry) -> String? {
        var path: String { text(listed.path) }
        switch listed.mode.first {
        case UInt8(ascii: "-") where letter == UInt8(ascii: "-"):
            return listed.size.elementsEqual(size)
                ? nil : "\(path) has \(text(listed.size)) bytes instead of \(text(size))"
        // A second name of something that is in the archive already, which Borg lists without a size of its own.
        case ListedEntry.furtherName:
            return listed.originals.contains(facts) ? nil : "\(path) is another name of \(text(listed.original))"
        case letter: return nil
        default: return "\(path) is of another kind (\(text(listed.mode)))"
        }
    }

    private var letter: UInt8? { facts.first }
    private var size: ArraySlice<UInt8> { facts.dropFirst() }
}

extension SealedEntry {
    var encoded: [UInt8] { facts + [0] + path }

    init(encoded: [UInt8]) {
        let end = encoded.firstIndex(of: 0) ?? encoded.endIndex
        (facts, path) = (Array(encoded[..<end]), Array(encoded[end...].dropFirst()))
    }
}

extension FileStatus.Kind {
    /// The first letter of a mode as `ls -l` shows it.
    fileprivate var listedLetter: UInt8 {
        switch self {
        case .file: UInt8(ascii: "-")
        case .directory: UInt8(ascii: "d")
        case .symbolicLink: UInt8(ascii: "l")
        case .fifo: UInt8(ascii: "p")
        case .socket: UInt8(ascii: "s")
        case .characterDevice: UInt8(ascii: "c")
        case .blockDevice: UInt8(ascii: "b")
        }
    }
}
