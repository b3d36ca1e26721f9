import DumpCore

/// What an archive holds and a set does not.
struct Refusals: Sendable {
    private(set) var count = 0
    private(set) var first: [String] = []

    mutating func add(_ path: [UInt8], _ why: String) {
        count += 1
        if first.count < 20 {
            first.append("\(String(decoding: path, as: UTF8.self).prefix(500).description.onOneLine): \(why)")
        }
    }
}

enum UnpackingError: Error {
    case tooMuch(String)
}

extension Unpacking.Limits {
    /// With room for directories, which a manifest does not count, and for the lists.
    init(for manifest: Manifest) {
        let counts = manifest.dumps.map { Int64($0.files).plus(Int64($0.tree?.entries ?? 0)) }
        self.init(entries: Int(counts.total.plus(100_000)), bytes: manifest.archivedBytes.plus(4 << 30))
    }
}
