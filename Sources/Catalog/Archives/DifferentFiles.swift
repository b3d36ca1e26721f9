import DumpCore
import SystemPackage
import Trees

/// Which files of a dump are not the same; paths relative to the set.
public struct FileDifference: Sendable, Encodable {
    public var added = Paths()
    public var removed = Paths()
    public var changed = Paths()

    public var isEmpty: Bool { count == 0 }
    public var count: Int { added.count + removed.count + changed.count }

    /// Paths of one kind, of which there may be millions.
    public struct Paths: Sendable, Encodable {
        public private(set) var count = 0
        /// As many as people read, in the order of a walk.
        public private(set) var first: [String] = []
        /// Stands for all in a document, where there are more than the first: see `DifferentFiles.forEach`.
        public fileprivate(set) var placeholder = ""

        static let mostKept = 20

        mutating func add(_ path: FilePath) {
            count += 1
            if first.count < Self.mostKept { first.append(path.string) }
        }

        public func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            try container.encode(count > first.count ? [placeholder] : first)
        }
    }

    mutating func add(_ path: FilePath, _ change: Change) {
        switch change {
        case .added: added.add(path)
        case .removed: removed.add(path)
        case .changed: changed.add(path)
        case .same: break
        }
    }

    fileprivate mutating func mark(_ prefix: String) {
        added.placeholder = prefix + Change.added.rawValue
        removed.placeholder = prefix + Change.removed.rawValue
        changed.placeholder = prefix + Change.changed.rawValue
    }
}

/// The files that are not the same in two sets, of all dumps. Memory does not grow with their number.
public final class DifferentFiles: Sendable {
    private let spool = PathSpool(in: .temporaryFiles)
    /// So that no path or name is taken for a placeholder.
    private let token = "\(UInt64.random(in: .min ... .max))-\(UInt64.random(in: .min ... .max))"

    /// By dump: its place in the order of the documents. Also marks where the paths belong.
    func add(_ path: FilePath, _ change: Change, toDump number: Int, _ files: inout FileDifference) throws(ArchiveError)
    {
        if files.isEmpty { files.mark(placeholder(number, "")) }
        files.add(path, change)
        try spool.keep(Array("\(placeholder(number, change.rawValue))/".utf8) + path.bytes, [])
    }

    /// Dumps have their order, and kinds that of their names, which is that of a document with sorted keys.
    private func placeholder(_ number: Int, _ kind: String) -> String {
        let digits = String(number)
        return "\(token) \(String(repeating: "0", count: 10 - digits.count))\(digits) \(kind)"
    }

    public func sorted() -> Reader { Reader(token: token, records: spool.sorted()) }

    /// For one thread at a time.
    public struct Reader {
        private let token: String
        private var records: PathSpoolReader

        fileprivate init(token: String, records: PathSpoolReader) { (self.token, self.records) = (token, records) }

        /// The placeholder that a line of a document consists of.
        public func placeholder(in line: Substring) -> String? {
            let text = line.drop { $0 == " " }
            guard text.hasPrefix("\"" + token), text.hasSuffix("\"") else { return nil }
            return String(text.dropFirst().dropLast())
        }

        /// Calls `body` with the paths that a placeholder stands for. To be asked in the order of the document.
        public mutating func forEach(of placeholder: String, _ body: (String) throws -> Void) throws {
            let prefix = Array("\(placeholder)/".utf8)
            while let next = try records.peekBytes() {
                let isWanted = next.starts(with: prefix)
                guard isWanted || TreeEntry.order(next, prefix) < 0 else { return }
                _ = try records.nextBytes()
                if isWanted { try body(String(decoding: next.dropFirst(prefix.count), as: UTF8.self)) }
            }
        }
    }
}
