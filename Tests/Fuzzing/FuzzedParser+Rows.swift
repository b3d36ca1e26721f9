import DumpCore
import Linux
import SystemPackage

@testable import RowDelta
@testable import Staging

/// Tables that are stored as rows and changes, and the notes about a set's files.
extension FuzzedParser {
    static let ofRows = [
        FuzzedParser("lines", ["5 2\n93 17 4 1200\n1 1\n"]) { bytes in
            try withDirectory(["x.lines": bytes]) { directory in
                var changes = try LineChanges([directory.appending("x.lines")])
                while changes.first != .max { try changes.advance() }
            }
        }.flat,
        // Three files in one: what is between two form feeds.
        FuzzedParser("rows-put-together", ["1\ta\n2\tb\n3\tc\n\\.\n\n\n\u{0C}1 2 1 x\n1 1\n\u{0C}4\td\n\\.\n\n\n"]) {
            bytes in
            let parts = bytes.split(separator: 0x0C, maxSplits: 2, omittingEmptySubsequences: false).map(Array.init)
            let names = ["20261130T001007Z.rows", "20261201T001009Z.lines", "20261201T001009Z.rows"]
            try withDirectory(Dictionary(zip(names, parts)) { $1 }) { directory in
                _ = try RowAssembly(of: RowChain(in: directory), atMost: 1 << 20, until: StopSign())
            }
        }.flat,
        FuzzedParser("sealed", [Array("muster sealed 1 \(digest)\n".utf8) + [UInt8](repeating: 7, count: 160)]) {
            bytes in
            try withDirectory(["sealed": bytes]) { directory in
                guard let sealed = SealedFiles(at: directory.appending("sealed"), manifestSHA256: digest) else {
                    return
                }
                var states = sealed.states()
                while try states.next() != nil {}
            }
        }.flat,
    ]

    /// A directory with these files, which is removed in the end.
    static func withDirectory(_ files: [String: [UInt8]], _ body: (FilePath) throws -> Void) throws {
        let directory = FilePath("/tmp/muster-fuzz-\(UInt64.random(in: .min ... .max))")
        try FileSystem.createDirectory(directory)
        // It is in /tmp, and small.
        defer { try? FileTree(directory).remove() }
        for (name, bytes) in files {
            let file = try FileSystem.createFile(directory.appending(name))
            try file.closeAfter { _ = try file.writeAll(bytes) }
        }
        try body(directory)
    }
}
