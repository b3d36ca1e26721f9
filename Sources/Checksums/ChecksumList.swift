import Linux
import SystemPackage

/// A list of files with their SHA-256, in the format that `sha256sum` writes and `sha256sum -c` reads.
///
/// One line for each file: digest, two spaces, path. In a path, a backslash, a newline and a carriage return are written as `\\`, `\n` and
/// `\r`. The line of such a path begins with a backslash (coreutils manual, "md5sum invocation").
public struct ChecksumList: Sendable, Hashable {
    public struct Line: Sendable, Hashable {
        /// 64 lower-case hex digits.
        public var sha256: String
        public var path: FilePath

        public init(sha256: String, path: FilePath) {
            self.sha256 = sha256
            self.path = path
        }
    }

    public var lines: [Line]

    public init(_ lines: [Line] = []) { self.lines = lines }

    /// The list as the bytes of its file.
    public var bytes: [UInt8] { lines.flatMap(\.bytes) }
}

extension ChecksumList.Line {
    /// The line with its end. Paths are bytes, not text: they need not be UTF-8.
    public var bytes: [UInt8] {
        var line = Array(sha256.utf8)
        line += "  ".utf8
        let path = path.bytes
        guard path.contains(where: { escapes[$0] != nil }) else { return line + path + [newline] }
        return [backslash] + line + path.flatMap { escapes[$0].map { [backslash, $0] } ?? [$0] } + [newline]
    }
}

let backslash = UInt8(ascii: "\\")
let newline = UInt8(ascii: "\n")

/// What follows the backslash, by the byte that it stands for.
let escapes: [UInt8: UInt8] = [
    backslash: backslash, newline: UInt8(ascii: "n"), UInt8(ascii: "\r"): UInt8(ascii: "r"),
]
