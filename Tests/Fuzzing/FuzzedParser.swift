import Glibc
import Linux
import SystemPackage
import Testing

/// A parser of what others wrote, with real input of its kind.
struct FuzzedParser: Sendable, CustomTestStringConvertible {
    var name: String
    var seeds: [[UInt8]]
    /// Throws, or returns anything: all that it may not do is end the process.
    var parse: @Sendable ([UInt8]) throws -> Void

    /// Whether nothing in it is within anything else.
    private(set) var isFlat = false

    var testDescription: String { name }

    var flat: FuzzedParser {
        var parser = self
        parser.isFlat = true
        return parser
    }

    init(_ name: String, _ seeds: [String], _ parse: @escaping @Sendable ([UInt8]) throws -> Void) {
        self.init(name, seeds.map { Array($0.utf8) }, parse)
    }

    init(_ name: String, _ seeds: [[UInt8]], _ parse: @escaping @Sendable ([UInt8]) throws -> Void) {
        (self.name, self.seeds, self.parse) = (name, seeds, parse)
    }

    static let all = ofSettings + ofBorg + ofStaging + ofRows + ofRecords + ofPlugins + ofPostgreSQL + ofSystem

    /// The repository that this file is in.
    static let root = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()

    /// A file of the repository. Empty if it cannot be read, which its parser then refuses.
    static func file(_ path: String) -> [UInt8] {
        (try? FileSystem.bytes(of: root.pushing(FilePath(path)))) ?? []
    }

    /// A SHA-256 in hex digits.
    static let digest = String(repeating: "ab", count: 32)
}

/// Hands a file with these bytes, open at its start, to `body`.
func withFile(holding bytes: [UInt8], _ body: (FileDescriptor) throws -> Void) throws {
    let file = try FileDescriptor.memoryFile(holding: bytes)
    try file.closeAfter {
        try file.seek(offset: 0, from: .start)
        try body(file)
    }
}

extension [UInt8] {
    var text: String { String(decoding: self, as: UTF8.self) }

    /// In pieces, as a pipe gives them.
    func inPieces(_ take: (UnsafeRawBufferPointer) -> Void) {
        withUnsafeBytes { bytes in
            for start in stride(from: 0, to: bytes.count, by: 7) {
                take(UnsafeRawBufferPointer(rebasing: bytes[start..<Swift.min(start + 7, bytes.count)]))
            }
        }
    }
}
